export { base64Socket, messageSocketStream } from "./message-socket.ts";
export type { MessageSocket } from "./message-socket.ts";
export { servePortForwardChannels } from "./port-forward-channels.ts";
export { servePortForward } from "./port-forward.ts";
export {
  chooseProtocol,
  isBase64,
  portForwardChannelProtocols,
  portForwardProtocol,
  spdyProtocols,
  tunnelledPortForwardProtocol,
  webSocketProtocols,
} from "./protocols.ts";
export { serveSession } from "./remote-streams.ts";
export type { RemoteStreams, StreamRequest } from "./remote-streams.ts";
export { acceptSpdyStreams, StreamsMissingError } from "./spdy-streams.ts";
export { webSocketStreams } from "./web-socket-streams.ts";
