export { namespaceConditions } from "./conditions.ts";
