export {
  type ClusterProgress,
  type ComponentReport,
  type ContainerOutput,
  type ControlAnswer,
  type ControlRequest,
  type HolderStatus,
  type NodeReport,
} from "./protocol.ts";
export {
  callControl,
  changeNode,
  ControlError,
  followProgress,
  followRoster,
  openOutputKeeper,
  type OutputKeeper,
  reportNodeState,
  reportProgress,
} from "./control-client.ts";
export { type ControlHandlers, serveControl } from "./control-server.ts";
