export { namespaceConditions } from "./conditions.ts";
export type { Remains } from "./conditions.ts";
