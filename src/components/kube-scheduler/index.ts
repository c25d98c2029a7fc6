export { createScheduler } from "./scheduler.ts";
export type { SchedulerOptions } from "./scheduler.ts";
