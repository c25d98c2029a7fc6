/** Requests as any HTTP client sends them, by an administrator or by nobody, to a test server. */
import { request as httpsRequest } from "node:https";
import type { IncomingHttpHeaders } from "node:http";
import { text as textOf } from "node:stream/consumers";
import { createGunzip } from "node:zlib";
import type { TestServer } from "./api-server.ts";

export interface Call {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** What is no text goes as JSON. */
  readonly body?: unknown;
  readonly isAnonymous?: boolean;
  /** An administrator's where absent. */
  readonly identity?: { readonly cert: string; readonly key: string };
}

export interface Answer {
  readonly code: number;
  readonly headers: IncomingHttpHeaders;
  /** Unpacked, where the server has compressed it. */
  readonly text: string;
  /** Of the text; undefined where it is no JSON. */
  readonly json: unknown;
}

export type Caller = (path: string, call?: Call) => Promise<Answer>;

export function httpCaller({ pki, url }: TestServer): Caller {
  const admin = administratorOf(pki);
  return (path, { method = "GET", headers = {}, body, isAnonymous = false, identity = admin } = {}) => {
    const sent = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
    const length = sent === undefined ? {} : { "content-length": Buffer.byteLength(sent) };
    return new Promise((resolve, reject) => {
      const request = httpsRequest(`${url}${path}`, {
        method,
        headers: { ...length, ...headers },
        ca: pki.caCertificate,
        agent: false,
        ...(isAnonymous ? {} : identity),
      });
      request.on("response", (response) => {
        const isPacked = response.headers["content-encoding"] === "gzip";
        textOf(isPacked ? response.pipe(createGunzip()) : response).then(
          (text) => resolve({ code: response.statusCode ?? 0, headers: response.headers, text, json: jsonIn(text) }),
          reject,
        );
      });
      request.on("error", reject);
      request.end(sent);
    });
  };
}

/** A client certificate that may do everything. */
export function administratorOf(pki: TestServer["pki"]): NonNullable<Call["identity"]> {
  const { certificate: cert, key } = pki.issue({
    commonName: "admin",
    organizations: ["system:masters"],
    usage: "client",
    validDays: 1,
  });
  return { cert, key };
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Plain text, or the lines of a watch.
    return undefined;
  }
}
