export { queueMetrics } from "./metrics.ts";
export { createWorkQueue } from "./work-queue.ts";
