export { type ClusterDocument, readClusterDocument } from "./cluster-document.ts";
export { readClusterRequest } from "./cluster-request.ts";
export { type ClusterSetting, clusterSettings, flagOf } from "./cluster-settings.ts";
export { parseDuration } from "./duration.ts";
export {
  clusterNameMistake,
  type ClusterOptions,
  ClusterOptionsError,
  clusterDefaults,
  isClusterName,
  planCluster,
} from "./plan-cluster.ts";
export { mostNodes, nodeAt } from "./plan-nodes.ts";
export { exampleCluster } from "./example-cluster.ts";
