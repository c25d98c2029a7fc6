/** Passes one HTTP request on over a connection, and the answer back, as they come. */
import { request as httpRequest } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { pipeline } from "node:stream/promises";
import type { Duplex } from "node:stream";
import { writeHead } from "../http/exchange.ts";
import type { HttpRequest, HttpResponse } from "../http/exchange.ts";
import { agentOver } from "./backends.ts";

export interface ForwardTarget {
  readonly connection: Duplex;
  readonly path: string;
  readonly host: string;
  /** Changes a header of the answer, such as a redirect. */
  readonly rewriteLocation?: (location: string) => string;
}

/** RFC 9110 section 7.6.1: these are between two neighbours only. */
const hopHeaders = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
]);
/** Who the client is to us is nobody's business behind us. */
export function isPrivateHeader(name: string): boolean {
  return name === "authorization" || name === "host" || name.startsWith("impersonate-");
}

export async function forward(request: HttpRequest, response: HttpResponse, target: ForwardTarget): Promise<void> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = httpRequest({
      agent: agentOver(target.connection),
      method: request.method ?? "GET",
      path: target.path,
      headers: { ...forwardedHeaders(request.headers), host: target.host },
    });
    outgoing.once("response", resolve);
    outgoing.once("error", reject);
    // Who hangs up ends what was asked for: a followed log would run for ever.
    response.once("close", () => target.connection.destroy());
    (request as NodeJS.ReadableStream).pipe(outgoing);
  });
  writeHead(response, answer.statusCode ?? 502, answerHeaders(answer.headers, target));
  // Streams begin before their first byte.
  (response as { flushHeaders?(): void }).flushHeaders?.();
  try {
    await pipeline(answer, response as NodeJS.WritableStream);
  } catch {
    // One side is gone; the other has heard of it by now.
  }
}

function forwardedHeaders(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const kept: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || name.startsWith(":") || hopHeaders.has(name) || isPrivateHeader(name)) continue;
    kept[name] = value;
  }
  return kept;
}

function answerHeaders(
  headers: IncomingHttpHeaders,
  { rewriteLocation }: ForwardTarget,
): Record<string, string | string[]> {
  const kept: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || hopHeaders.has(name)) continue;
    kept[name] = name === "location" && typeof value === "string" ? (rewriteLocation?.(value) ?? value) : value;
  }
  return kept;
}
