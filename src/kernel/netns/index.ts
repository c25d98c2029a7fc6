export {
  createNetworkNamespace,
  isNetworkNamespace,
  openNetworkNamespace,
  removeNetworkNamespace,
} from "./namespace.ts";
export { NamespaceWorker } from "./namespace-worker.ts";
export {
  adoptConnectingSocket,
  bindTcpSocket,
  bindUdpSocket,
  connectTcpSocket,
  type SocketAddress,
} from "./sockets.ts";
