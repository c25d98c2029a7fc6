export { serviceMask, localBit, tableName } from "./layout.ts";
export type { NodeNetwork } from "./node-network.ts";
export {
  createServicePlan,
  ruleSetOf,
  updateServicePlan,
  type HostPort,
  type KnownIds,
  type ServiceChanges,
  type ServiceObjects,
  type ServicePlan,
  type ServiceUpdate,
} from "./plan.ts";
export type { Backend } from "./service-elements.ts";
