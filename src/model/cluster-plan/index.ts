export { type ClusterOptions, ClusterOptionsError, clusterDefaults, planCluster } from "./plan-cluster.ts";
