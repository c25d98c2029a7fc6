/** Passes one HTTP request on over a connection, and the answer back, as they come. */
import { request as httpRequest } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { pipeline } from "node:stream/promises";
import type { Duplex } from "node:stream";
import { serviceUnavailable } from "../../../api/status.ts";
import { writeHead } from "../http/exchange.ts";
import type { HttpRequest, HttpResponse } from "../http/exchange.ts";
import { agentOver } from "./backends.ts";
import { codingOfPage, passPage, rewriteLink } from "./rewrite-html.ts";
import type { ProxiedServer } from "./rewrite-html.ts";

export interface ForwardTarget {
  readonly connection: Duplex;
  readonly path: string;
  readonly host: string;
  /** Where the answer's links must lead; absent where nobody follows any. */
  readonly proxied?: ProxiedServer;
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
      headers: { ...forwardedHeaders(request.headers), ...originHeaders(request, target), host: target.host },
    });
    outgoing.once("response", resolve);
    outgoing.once("error", reject);
    // One that nobody asked for: Node ends the connection, and says no more.
    outgoing.once("upgrade", (_answer, socket) => {
      socket.destroy();
      reject(serviceUnavailable("the server changed the protocol without being asked"));
    });
    // Who hangs up ends what was asked for: a followed log would run for ever.
    response.once("close", () => target.connection.destroy());
    (request as NodeJS.ReadableStream).pipe(outgoing);
  });
  const { proxied } = target;
  const coding = proxied === undefined || request.method === "HEAD" ? undefined : codingOfPage(answer.headers);
  const { "content-length": length, ...headers } = answerHeaders(answer.headers, target);
  const isRewritten = coding !== undefined && proxied !== undefined;
  const sized = isRewritten || length === undefined ? headers : { ...headers, "content-length": length };
  writeHead(response, answer.statusCode ?? 502, sized);
  // Streams begin before their first byte.
  (response as { flushHeaders?(): void }).flushHeaders?.();
  try {
    if (isRewritten) await passPage(answer, response as NodeJS.WritableStream, { coding, server: proxied });
    else await pipeline(answer, response as NodeJS.WritableStream);
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

/** What a server behind a proxy builds its own links with. */
function originHeaders(request: HttpRequest, { proxied, path }: ForwardTarget): Record<string, string> {
  if (proxied === undefined) return {};
  const [ownPath = ""] = path.split("?");
  const before = request.headers["x-forwarded-for"];
  const client = request.socket.remoteAddress;
  const hops = [...(before === undefined ? [] : [before].flat()), ...(client === undefined ? [] : [client])];
  return {
    "x-forwarded-uri": proxied.prefix + ownPath,
    ...(hops.length === 0 ? {} : { "x-forwarded-for": hops.join(", ") }),
  };
}

/** Who may read the API's answers elsewhere is not for a pod to say. */
function isCrossOriginGrant(name: string): boolean {
  return /^access-control-allow-(?:credentials|headers|methods|origin)$/.test(name);
}

function answerHeaders(headers: IncomingHttpHeaders, { proxied }: ForwardTarget): Record<string, string | string[]> {
  const kept: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || hopHeaders.has(name)) continue;
    if (proxied !== undefined && isCrossOriginGrant(name)) continue;
    const isLink = proxied !== undefined && name === "location" && typeof value === "string";
    kept[name] = isLink ? rewriteLink(value, proxied) : value;
  }
  return kept;
}
