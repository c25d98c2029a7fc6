export { queueMetrics } from "./metrics.ts";
export type { QueueMetrics } from "./metrics.ts";
export { createWorkQueue } from "./work-queue.ts";
export type { WorkQueue, WorkQueueOptions } from "./work-queue.ts";
