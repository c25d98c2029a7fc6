export { isJobFinished, jobCondition } from "./conditions.ts";
export { isAbandoned, planJob, timeToLiveMs } from "./plan.ts";
export { isTracked, trackingFinalizer } from "./pods.ts";
