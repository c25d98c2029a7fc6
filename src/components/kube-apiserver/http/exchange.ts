/** One HTTP request with its answer, the same for HTTP/1.1 and HTTP/2. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { jsonOf } from "../../../api/go-text.ts";
import { ApiError, badRequest, internalError, requestEntityTooLarge } from "../../../api/status.ts";
import type { Status } from "../../../api/generated/types.ts";
import { prefersYaml } from "./negotiation.ts";
import { indentJson, wantsPretty } from "./pretty.ts";
import { yamlOfJson } from "./yaml-text.ts";
import { warningHeaders } from "./warning-headers.ts";

export type HttpRequest = IncomingMessage | Http2ServerRequest;
export type HttpResponse = ServerResponse | Http2ServerResponse;

/** Upstream's limit. */
const bodyLimitBytes = 3 * 1024 * 1024;
/** Smaller answers are sent faster than compressed; upstream's threshold. */
const gzipFromBytes = 128 * 1024;

const tooLarge = 413;

const compress = promisify(gzip);

export interface Answer {
  readonly code: number;
  readonly body: string | Uint8Array;
  /** Absent: JSON, or YAML made of it where the client would rather have that. */
  readonly contentType?: string;
  readonly warnings?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** What is nowhere is answered as Go's servers do. */
export const pageNotFound: Answer = {
  code: 404,
  body: "404 page not found\n",
  contentType: "text/plain; charset=utf-8",
  headers: { "x-content-type-options": "nosniff" },
};

/** Has the client hung up? An HTTP/2 response knows it only of its stream. */
export function isGone(response: HttpResponse): boolean {
  return "stream" in response ? response.stream.destroyed : response.destroyed;
}

/** Reads the whole body. Throws `ApiError` 413 beyond the limit; the rest of such a body is not read. */
export function readBody(request: HttpRequest): Promise<Buffer> {
  const declared = Number(request.headers["content-length"] ?? 0);
  if (declared > bodyLimitBytes) return Promise.reject(requestEntityTooLarge(`limit is ${bodyLimitBytes}`));
  // Events, because an async iterator over the request costs more than decoding what most bodies hold.
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const take = (chunk: Buffer): void => {
      size += chunk.length;
      chunks.push(chunk);
      if (size <= bodyLimitBytes) return;
      request.off("data", take);
      request.pause();
      reject(requestEntityTooLarge(`limit is ${bodyLimitBytes}`));
    };
    const fail = (why: string): void => reject(badRequest(`unable to read the request body: ${why}`));
    request.on("data", take);
    let isWhole = false;
    request.on("end", () => {
      isWhole = true;
      const [only] = chunks;
      resolve(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks));
    });
    request.on("error", (error: Error) => fail(error.message));
    request.on("close", () => {
      if (!isWhole) fail("the client went away");
    });
  });
}

export async function send(request: HttpRequest, response: HttpResponse, answer: Answer): Promise<void> {
  if (isGone(response) || response.writableEnded) return;
  const isYaml = answer.contentType === undefined && prefersYaml(request.headers.accept);
  const headers: Record<string, string | string[]> = {
    "cache-control": "no-cache, private",
    "content-type": answer.contentType ?? (isYaml ? "application/yaml" : "application/json"),
    ...answer.headers,
  };
  if (answer.warnings !== undefined && answer.warnings.length > 0)
    headers["warning"] = [...warningHeaders(answer.warnings)];
  let { body } = answer;
  if (isYaml) body = await yamlOfJson(textOf(body));
  else if (answer.contentType === undefined && wantsPretty(request)) body = indentJson(textOf(body));
  if (sizeOf(body) >= gzipFromBytes && acceptsGzip(request)) {
    body = await compress(body, { level: 1 });
    headers["content-encoding"] = "gzip";
    headers["vary"] = "Accept-Encoding";
    if (isGone(response) || response.writableEnded) return;
  }
  // A text leaves in one piece with the head; one as long as a list is better not copied for that.
  if (typeof body === "string" && body.length >= gzipFromBytes) body = Buffer.from(body);
  const size = sizeOf(body);
  headers["content-length"] = String(size);
  if (answer.code === tooLarge) {
    // Nobody waits for the rest of such a body: HTTP/1.1 ends the connection for that, HTTP/2 only the stream.
    if ("stream" in request) request.stream.once("finish", () => request.stream.close());
    else headers["connection"] = "close";
  }
  writeHead(response, answer.code, headers);
  // A text of as many bytes as characters is ASCII, which needs no encoding.
  if (request.method === "HEAD") response.end();
  else if (size === body.length) response.end(body, "latin1");
  else response.end(body);
}

function textOf(body: string | Uint8Array): string {
  return typeof body === "string" ? body : Buffer.from(body).toString();
}

function sizeOf(body: string | Uint8Array): number {
  return typeof body === "string" ? Buffer.byteLength(body) : body.length;
}

/** The two response types differ in their overloads only. */
export function writeHead(
  response: HttpResponse,
  code: number,
  headers: Readonly<Record<string, string | string[]>>,
): void {
  (response as ServerResponse).writeHead(code, headers);
}

/** The Status for anything thrown: what is not meant for the client becomes an InternalError. */
export function statusOf(error: unknown): Status {
  if (error instanceof ApiError) return error.status;
  return internalError(error instanceof Error ? error.message : String(error), error).status;
}

export function statusAnswer(error: unknown, warnings: readonly string[] = []): Answer {
  const status = statusOf(error);
  const retry = status.details?.retryAfterSeconds;
  return {
    code: status.code ?? 500,
    body: `${jsonOf(status)}\n`,
    warnings,
    ...(retry === undefined ? {} : { headers: { "retry-after": String(retry) } }),
  };
}

function acceptsGzip(request: HttpRequest): boolean {
  const accepted = request.headers["accept-encoding"];
  return typeof accepted === "string" && /\bgzip\b/.test(accepted);
}
