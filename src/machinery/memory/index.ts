export { createIdleCollection } from "./idle-collection.ts";
export { processMemory } from "./process-memory.ts";
