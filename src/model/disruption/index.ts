export { evictionVerdict } from "./eviction.ts";
export type { EvictionVerdict } from "./eviction.ts";
export { planBudget } from "./plan.ts";
export type { BudgetInput } from "./plan.ts";
