/** Exec, attach and port-forward: HTTP requests that become streams, over SPDY or WebSocket. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import type { Session } from "../../../container/runtime.ts";
import {
  acceptSpdyStreams,
  base64Socket,
  chooseProtocol,
  isBase64,
  messageSocketStream,
  portForwardChannelProtocols,
  portForwardProtocol,
  servePortForward,
  servePortForwardChannels,
  serveSession,
  spdyProtocols,
  tunnelledPortForwardProtocol,
  webSocketProtocols,
  webSocketStreams,
} from "../../../lib/remote-command/index.ts";
import type { MessageSocket, RemoteStreams, StreamRequest } from "../../../lib/remote-command/index.ts";
import { HttpError } from "./http-error.ts";

export interface UpgradeRequest {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  /** Aborts where the client does not open its streams in time. */
  readonly patience: AbortSignal;
}

/** @param open - Begins the process; its rejection is told to the client over the streams. */
export async function serveExecOrAttach(
  upgrade: UpgradeRequest,
  streamRequest: StreamRequest,
  open: () => Promise<Session>,
): Promise<void> {
  const { stdin, stdout, stderr } = streamRequest;
  if (!stdin && !stdout && !stderr) {
    throw new HttpError(400, "you must specify at least 1 of stdin, stdout, stderr");
  }
  const streams = await acceptStreams(upgrade, streamRequest);
  let session: Session;
  try {
    session = await open();
  } catch (error) {
    const message = `error executing command in container: ${error instanceof Error ? error.message : String(error)}`;
    await streams.finish({ type: "failed", message });
    return;
  }
  await serveSession(streams, session);
}

async function acceptStreams(upgrade: UpgradeRequest, request: StreamRequest): Promise<RemoteStreams> {
  if (isWebSocket(upgrade.request)) {
    const { socket, protocol } = await acceptWebSocket(upgrade, webSocketProtocols, "channel.k8s.io");
    return webSocketStreams(socket, { request, protocol });
  }
  const protocol = acceptSpdy(upgrade, spdyProtocols, "channel.k8s.io");
  return acceptSpdyStreams(upgrade.socket, { request, protocol, head: upgrade.head, signal: upgrade.patience });
}

/**
 * @param options.ports - Those of the query: clients that use plain WebSocket channels name them before they connect.
 * @param options.dial - Connects to a port of the pod.
 */
export async function servePortForwardRequest(
  upgrade: UpgradeRequest,
  { ports, dial }: { readonly ports: readonly number[]; readonly dial: (port: number) => Promise<Duplex> },
): Promise<void> {
  if (isWebSocket(upgrade.request)) {
    const supported = [tunnelledPortForwardProtocol, ...portForwardChannelProtocols] as const;
    const { socket, protocol } = await acceptWebSocket(upgrade, supported, "v4.channel.k8s.io");
    if (protocol === tunnelledPortForwardProtocol) await servePortForward(messageSocketStream(socket), { dial });
    else await servePortForwardChannels(isBase64(protocol) ? base64Socket(socket) : socket, { ports, dial });
    return;
  }
  acceptSpdy(upgrade, [portForwardProtocol], portForwardProtocol);
  await servePortForward(upgrade.socket, { head: upgrade.head, dial });
}

function isWebSocket(request: IncomingMessage): boolean {
  return request.headers.upgrade?.toLowerCase() === "websocket";
}

/** Answers 101 with the protocol both sides know. Throws `HttpError` where there is none, or no upgrade is asked for. */
function acceptSpdy<P extends string>({ request, socket }: UpgradeRequest, supported: readonly P[], fallback: P): P {
  if (request.headers.upgrade?.toLowerCase() !== "spdy/3.1") {
    throw new HttpError(400, `unable to upgrade: missing upgrade headers in request`);
  }
  const offered = (request.headersDistinct["x-stream-protocol-version"] ?? []).flatMap((value) => value.split(/,\s*/));
  const protocol = chooseProtocol(supported, offered, fallback);
  if (protocol === undefined) {
    throw new HttpError(
      403,
      `unable to upgrade: unable to negotiate protocol: client supports ${JSON.stringify(offered)}, server accepts ${JSON.stringify(supported)}`,
    );
  }
  const lines = [
    "HTTP/1.1 101 Switching Protocols",
    "Connection: Upgrade",
    "Upgrade: SPDY/3.1",
    `X-Stream-Protocol-Version: ${protocol}`,
  ];
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  return protocol;
}

/** @param unnamed - What a client means that offers no protocol. */
async function acceptWebSocket<P extends string>(
  { request, socket, head }: UpgradeRequest,
  supported: readonly P[],
  unnamed: P,
): Promise<{ readonly socket: MessageSocket; readonly protocol: P }> {
  const offered = (request.headers["sec-websocket-protocol"] ?? "").split(/,\s*/).filter((name) => name !== "");
  const protocol = chooseProtocol(supported, offered, unnamed);
  if (protocol === undefined) {
    throw new HttpError(
      400,
      `unable to upgrade: no subprotocol of ${JSON.stringify(offered)} is supported, only ${JSON.stringify(supported)}`,
    );
  }
  // Loaded with the first such request: a kubelet starts without it.
  const { WebSocketServer } = await import("ws");
  const server = new WebSocketServer({ noServer: true, handleProtocols: () => protocol, perMessageDeflate: false });
  return await new Promise((resolve) => {
    server.handleUpgrade(request, socket, head, (accepted: WebSocket) => {
      // With it, messages are Buffers and nothing else.
      accepted.binaryType = "nodebuffer";
      resolve({ socket: accepted, protocol });
    });
  });
}
