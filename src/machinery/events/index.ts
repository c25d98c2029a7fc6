export { createEventRecorder, referenceTo } from "./event-recorder.ts";
export type { EventRecorder, EventRecorderOptions, EventText, EventWriter } from "./event-recorder.ts";
