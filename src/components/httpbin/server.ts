/** The server: requests to `Received`, through the table of routes, answers back out. */
import { randomBytes, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Clock } from "../../machinery/clock.ts";
import type { Component } from "../../machinery/component.ts";
import { parseBody } from "./body.ts";
import { empty, text, valuesOf } from "./exchange.ts";
import type { Answer, Received } from "./exchange.ts";
import { routes } from "./routes.ts";
import type { Route } from "./routes.ts";

const maxBodyBytes = 10 * 1024 * 1024;

export interface HttpbinOptions {
  /** "" listens on all addresses of both families. */
  readonly host: string;
  readonly port: number;
  readonly clock: Clock;
  /** Goes into the header `X-Served-By`, so that one sees which pod answered. */
  readonly servedBy: string;
}

export interface Httpbin extends Component {
  /** The bound port, once it is ready. */
  readonly port: number;
}

/** `run` rejects where the port cannot be bound. */
export function createHttpbin(options: HttpbinOptions): Httpbin {
  const settled = Promise.withResolvers<void>();
  settled.promise.catch(() => undefined);
  const server = createServer((request, response) => void respond({ request, response, options }));
  return {
    name: "httpbin",
    ready: settled.promise,
    get port() {
      const address = server.address();
      return typeof address === "object" && address !== null ? address.port : 0;
    },
    run: async (signal) => {
      try {
        await listen(server, options);
      } catch (error) {
        settled.reject(error);
        throw error;
      }
      settled.resolve();
      await untilAborted(signal);
      await close(server);
    },
  };
}

function listen(server: Server, { host, port }: HttpbinOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host === "" ? undefined : host, resolve);
  });
}

/** Requests under way are answered; idle connections are closed. */
function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}

function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly options: HttpbinOptions;
}

async function respond({ request, response, options }: Exchange): Promise<void> {
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  try {
    const answer = await answerTo(request, { clock: options.clock, signal: gone.signal });
    await send(answer, { request, response, options });
  } catch {
    // The client is gone, in the middle of its question or of our answer.
    response.destroy();
  }
}

async function answerTo(
  request: IncomingMessage,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<Answer> {
  const target = new URL(request.url ?? "/", "http://localhost");
  const found = findRoute(request.method ?? "GET", target.pathname);
  if (found === undefined) return notFound();
  if ("allow" in found) return notAllowed(found.allow, request.method);
  const bytes = await readBody(request);
  if (bytes === undefined) return { ...text("Request Entity Too Large\n"), status: 413 };
  const received = receivedOf(request, { target, params: found.params, bytes });
  return found.route.handle(received, {
    sleep: (ms) => clock.sleep(ms, signal),
    randomBytes,
    random: Math.random,
    uuid: randomUUID,
  });
}

type Found =
  | { readonly route: Route; readonly params: Readonly<Record<string, string>> }
  | { readonly allow: readonly string[] };

function findRoute(method: string, path: string): Found | undefined {
  const matches = routes.flatMap((route) => {
    const params = matchPath(route.path, path);
    return params === undefined ? [] : [{ route, params }];
  });
  const asked = method === "HEAD" ? "GET" : method;
  const found = matches.find(({ route }) => route.methods.includes(asked));
  if (found !== undefined || matches.length === 0) return found;
  return { allow: ["OPTIONS", ...new Set(matches.flatMap(({ route }) => route.methods))] };
}

/** The values of the pattern's `:name` segments; undefined where it does not fit. */
function matchPath(pattern: string, path: string): Readonly<Record<string, string>> | undefined {
  const wanted = pattern.split("/");
  const given = path.split("/");
  const isOpen = wanted.at(-1) === "*";
  if (isOpen ? given.length < wanted.length : given.length !== wanted.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of (isOpen ? wanted.slice(0, -1) : wanted).entries()) {
    const segment = given[index] ?? "";
    if (part.startsWith(":") && segment !== "") params[part.slice(1)] = decode(segment);
    else if (part !== segment) return undefined;
  }
  return params;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    // A stray percent sign stands for itself.
    return segment;
  }
}

/** Undefined where it exceeds what is taken. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBodyBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

interface Parts {
  readonly target: URL;
  readonly params: Readonly<Record<string, string>>;
  readonly bytes: Buffer;
}

function receivedOf(request: IncomingMessage, { target, params, bytes }: Parts): Received {
  const pairs = Array.from({ length: request.rawHeaders.length / 2 }, (_, index): readonly [string, string] => [
    usualSpelling(request.rawHeaders[index * 2] ?? ""),
    request.rawHeaders[index * 2 + 1] ?? "",
  ]);
  const header = (name: string): string => String(request.headers[name] ?? "");
  const scheme = header("x-forwarded-proto") === "" ? "http" : header("x-forwarded-proto");
  const client = request.socket.remoteAddress?.replace(/^::ffff:/, "") ?? "";
  return {
    method: request.method ?? "GET",
    params,
    args: valuesOf(target.searchParams),
    headers: valuesOf(pairs),
    origin: header("x-forwarded-for") === "" ? client : header("x-forwarded-for"),
    url: `${scheme}://${header("host")}${request.url ?? "/"}`,
    cookies: Object.fromEntries(
      header("cookie")
        .split(/;\s*/)
        .filter((pair) => pair.includes("="))
        .map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]),
    ),
    body: parseBody(bytes, header("content-type")),
  };
}

/** "user-agent" to "User-Agent". */
function usualSpelling(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/(^|-)([a-z])/g, (_all, dash: string, letter: string) => dash + letter.toUpperCase());
}

function notFound(): Answer {
  const body =
    "<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n<p>There is no such path here.</p>\n";
  return { ...text(body), status: 404 };
}

function notAllowed(allow: readonly string[], method: string | undefined): Answer {
  const headers = { Allow: allow.join(", ") };
  if (method === "OPTIONS") {
    const cors = {
      "Access-Control-Allow-Methods": "GET, POST, PUT, DELETE, PATCH, OPTIONS",
      "Access-Control-Max-Age": "3600",
    };
    return empty(200, { ...headers, ...cors });
  }
  return {
    ...text("<!doctype html>\n<title>405 Method Not Allowed</title>\n<h1>Method Not Allowed</h1>\n"),
    status: 405,
    headers,
  };
}

async function send(answer: Answer, { request, response, options }: Exchange): Promise<void> {
  const { body } = answer;
  const isWhole = typeof body === "string" || body instanceof Uint8Array;
  response.writeHead(answer.status, {
    Server: "netloom-httpbin",
    "Access-Control-Allow-Origin": request.headers.origin ?? "*",
    "Access-Control-Allow-Credentials": "true",
    "X-Served-By": options.servedBy,
    ...(isWhole && answer.status !== 304 ? { "Content-Length": String(Buffer.byteLength(body)) } : {}),
    ...answer.headers,
  });
  if (request.method === "HEAD" || answer.status === 304) response.end();
  else if (isWhole) response.end(body);
  else await pipeline(Readable.from(body), response);
}
