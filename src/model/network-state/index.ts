export {
  diffNetwork,
  type LinkDifference,
  type MadeLink,
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
  type PlannedForwarding,
  type PlannedLink,
  type PlannedNeighbour,
  type PlannedRoute,
  type PlannedRule,
  type PlannedSysctl,
  type VxlanEnd,
} from "./plan.ts";
export { ipv6Settings } from "./ipv6-settings.ts";
