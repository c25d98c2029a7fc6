export {
  createNetworkNamespace,
  NetworkNamespaceError,
  openNetworkNamespace,
  removeNetworkNamespace,
} from "./namespace.ts";
export { type NamespaceTarget, NamespaceWorker } from "./namespace-worker.ts";
export {
  adoptConnectingSocket,
  bindTcpSocket,
  bindUdpSocket,
  connectTcpSocket,
  type SocketAddress,
  SocketError,
} from "./sockets.ts";
export { AsynchronousWorkError } from "./thread.ts";
