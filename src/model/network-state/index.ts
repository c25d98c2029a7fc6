export {
  diffNetwork,
  type LinkDifference,
  type NetworkDifference,
  type NetworkOperation,
  operationText,
} from "./diff.ts";
export {
  emptyPlan,
  emptyState,
  mergePlans,
  type NetworkPlan,
  type NetworkState,
  type PlannedAddress,
  type PlannedLink,
  type PlannedNeighbour,
  type PlannedRoute,
  type PlannedSysctl,
} from "./plan.ts";
