/** Passes an upgrade on: from then on both sides talk to each other, byte for byte. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

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
    if (/^(host|authorization)$/i.test(name)) continue;
    lines.push(`${name}: ${request.rawHeaders[index + 1] ?? ""}`);
  }
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** Keystrokes must not wait for each other. */
function setNoDelay(stream: Duplex & { setNoDelay?(on: boolean): void }): void {
  stream.setNoDelay?.(true);
}
