export type { HealthCheck } from "./endpoints.ts";
export { hostPortsOf } from "./host-ports.ts";
export type { NodeNetwork } from "./node-network.ts";
export {
  createServicePlan,
  ruleSetOf,
  updateServicePlan,
  type HostPort,
  type KnownIds,
  type ServiceObjects,
  type ServicePlan,
} from "./plan.ts";
export type { Backend } from "./service-elements.ts";
