export { claimsOf, withOwners } from "./claims.ts";
export { ordinalOf } from "./identity.ts";
export { planStatefulSet } from "./plan.ts";
export type { Replica } from "./plan.ts";
