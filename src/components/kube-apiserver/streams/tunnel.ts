/** Passes an upgrade on: from then on both sides talk to each other, byte for byte. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { withoutToken } from "../authentication/web-socket-token.ts";
import { isPrivateHeader } from "./forward.ts";

/** What a client sent to begin the upgrade. */
export interface UpgradeRequest {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** What came behind the headers already. */
  readonly head: Buffer;
}

/** Sends the request on under a new path and joins the two connections until either ends. */
export function tunnel(
  { request, socket, head }: UpgradeRequest,
  target: { readonly connection: Duplex; readonly path: string; readonly host: string },
): void {
  const { connection } = target;
  connection.write(requestHead(request, target));
  if (head.length > 0) connection.write(head);
  const cut = (): void => {
    socket.destroy();
    connection.destroy();
  };
  for (const side of [socket, connection]) {
    side.on("error", cut);
    side.on("close", cut);
  }
  setNoDelay(socket);
  setNoDelay(connection);
  socket.pipe(connection);
  connection.pipe(socket);
}

function requestHead(
  request: IncomingMessage,
  { path, host }: { readonly path: string; readonly host: string },
): string {
  const lines = [`${request.method ?? "GET"} ${path} HTTP/1.1`, `Host: ${host}`];
  for (let index = 0; index + 1 < request.rawHeaders.length; index += 2) {
    const name = request.rawHeaders[index] ?? "";
    if (isPrivateHeader(name.toLowerCase())) continue;
    const value = request.rawHeaders[index + 1] ?? "";
    const isProtocols = name.toLowerCase() === "sec-websocket-protocol";
    lines.push(`${name}: ${isProtocols ? withoutToken(value) : value}`);
  }
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** Keystrokes must not wait for each other. */
function setNoDelay(stream: Duplex & { setNoDelay?(on: boolean): void }): void {
  stream.setNoDelay?.(true);
}
