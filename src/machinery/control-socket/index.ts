export { type ClusterProgress, type ComponentReport, type ControlRequest, type HolderStatus } from "./protocol.ts";
export { callControl, ControlError, followProgress, reportProgress } from "./control-client.ts";
export { type ControlHandlers, serveControl } from "./control-server.ts";
