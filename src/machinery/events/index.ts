export { createEventRecorder, referenceTo } from "./event-recorder.ts";
export type { EventRecorder } from "./event-recorder.ts";
