export type { ControllerManagerConfig } from "./config.ts";
export { createControllerManager } from "./manager.ts";
export type { ControllerManagerOptions, ControllerName } from "./manager.ts";
