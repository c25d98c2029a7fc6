export { createControllerManager } from "./manager.ts";
