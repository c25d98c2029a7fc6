export { planNode } from "./plan.ts";
export type { NodeInput, NodePlan, Sighting } from "./plan.ts";
