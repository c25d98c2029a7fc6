export type { HealthCheck } from "./endpoints.ts";
export { staleHits } from "./hits.ts";
export { hostPortsOf } from "./host-ports.ts";
export { localBit } from "./layout.ts";
export type { NodeNetwork } from "./node-network.ts";
export {
  createServicePlan,
  freeUnusedIds,
  ruleSetOf,
  updateServicePlan,
  type HostPort,
  type KnownIds,
  type ServiceObjects,
  type ServicePlan,
} from "./plan.ts";
export type { Backend } from "./service-elements.ts";
