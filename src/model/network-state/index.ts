export { diffNetwork, type LinkDifference, type NetworkDifference, type NetworkOperation } from "./diff.ts";
export {
  emptyPlan,
  emptyState,
  type LinkState,
  mergePlans,
  type NetworkPlan,
  type NetworkState,
  type PlannedAddress,
  type PlannedLink,
  type PlannedRoute,
  type PlannedSysctl,
} from "./plan.ts";
