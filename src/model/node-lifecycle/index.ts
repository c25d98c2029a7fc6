export { planNode } from "./plan.ts";
export type { NodePlan, Sighting } from "./plan.ts";
