export { type ClusterDocument, readClusterDocument } from "./cluster-document.ts";
export { type ClusterSetting, clusterSettings, flagOf } from "./cluster-settings.ts";
export { parseDuration } from "./duration.ts";
export {
  type ClusterOptions,
  ClusterOptionsError,
  clusterDefaults,
  mostNodes,
  nodeAt,
  planCluster,
} from "./plan-cluster.ts";
export { exampleCluster } from "./example-cluster.ts";
