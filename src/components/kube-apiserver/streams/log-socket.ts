/** A container's log over a WebSocket, for clients that can read nothing else as it comes: browsers. */
import { request as httpRequest } from "node:http";
import type { IncomingMessage } from "node:http";
import { pipeline } from "node:stream/promises";
import { text } from "node:stream/consumers";
import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import type { Status } from "../../../api/generated/types.ts";
import { ApiError, badRequest, internalError } from "../../../api/status.ts";
import { withoutToken } from "../authentication/web-socket-token.ts";
import { agentOver } from "./backends.ts";
import type { UpgradeRequest } from "./tunnel.ts";

/** How a message carries bytes; without any protocol as the first. */
const protocols = ["binary.k8s.io", "base64.binary.k8s.io"] as const;

/** Asks the kubelet for the log first: its refusal is the answer, not a closed socket. Throws `ApiError`. */
export async function serveLogSocket(
  upgrade: UpgradeRequest,
  target: { readonly connection: Duplex; readonly path: string; readonly host: string },
): Promise<void> {
  if (upgrade.request.headers.upgrade?.toLowerCase() !== "websocket") {
    target.connection.destroy();
    throw badRequest("a log is given over HTTP or a WebSocket, and over no other protocol");
  }
  upgrade.socket.once("close", () => target.connection.destroy());
  const log = await askKubelet(target);
  if (log.statusCode !== 200) throw await refusalOf(log);
  const protocol = protocolOf(upgrade.request);
  const socket = await accept(upgrade, protocol);
  try {
    // As upstream: an empty message tells that the log begins, which a quiet container would leave open.
    await sendMessage(socket, Buffer.alloc(0));
    await pipeline(log, async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) {
        await sendMessage(socket, protocol === "base64.binary.k8s.io" ? chunk.toString("base64") : chunk);
      }
    });
  } catch {
    // One side is gone; the other has heard of it by now.
  }
  socket.close(1000);
}

function askKubelet({
  connection,
  path,
  host,
}: {
  readonly connection: Duplex;
  readonly path: string;
  readonly host: string;
}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({ agent: agentOver(connection), path, headers: { host } });
    outgoing.once("response", resolve);
    outgoing.once("error", reject);
    outgoing.end();
  });
}

async function refusalOf(answer: IncomingMessage): Promise<ApiError> {
  const body = await text(answer);
  try {
    const status = JSON.parse(body) as Status;
    if (status.kind === "Status") return new ApiError(status);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return answer.statusCode === 400 ? badRequest(body.trim()) : internalError(body.trim());
}

function protocolOf(request: IncomingMessage): (typeof protocols)[number] | undefined {
  const offered = withoutToken(request.headers["sec-websocket-protocol"] ?? "").split(/,\s*/);
  return protocols.find((protocol) => offered.includes(protocol));
}

async function accept({ request, socket, head }: UpgradeRequest, protocol: string | undefined): Promise<WebSocket> {
  // Loaded with the first such request: the server starts without it.
  const { WebSocketServer } = await import("ws");
  const handleProtocols = (): string | false => protocol ?? false;
  const server = new WebSocketServer({ noServer: true, handleProtocols, perMessageDeflate: false });
  return await new Promise((resolve) => {
    server.handleUpgrade(request, socket, head, (accepted) => {
      accepted.on("error", () => accepted.terminate());
      resolve(accepted);
    });
  });
}

/** Resolves when the message has left, so that a slow reader slows the log. */
function sendMessage(socket: WebSocket, message: Buffer | string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.send(message, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}
