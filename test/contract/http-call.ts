/** Requests as any HTTP client sends them, by an administrator or by nobody, to a test server. */
import { request as httpsRequest } from "node:https";
import type { IncomingHttpHeaders } from "node:http";
import type { TestServer } from "./api-server.ts";

export interface Call {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** What is no text goes as JSON. */
  readonly body?: unknown;
  readonly isAnonymous?: boolean;
}

export interface Answer {
  readonly code: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Of the text; undefined where it is no JSON. */
  readonly json: unknown;
}

export type Caller = (path: string, call?: Call) => Promise<Answer>;

export function httpCaller({ pki, url }: TestServer): Caller {
  const { certificate: cert, key } = pki.issue({
    commonName: "admin",
    organizations: ["system:masters"],
    usage: "client",
    validDays: 1,
  });
  return (path, { method = "GET", headers = {}, body, isAnonymous = false } = {}) => {
    const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
    const length: Record<string, string> =
      text === undefined ? {} : { "content-length": String(Buffer.byteLength(text)) };
    return new Promise((resolve, reject) => {
      const request = httpsRequest(
        `${url}${path}`,
        {
          method,
          headers: { ...length, ...headers },
          ca: pki.caCertificate,
          agent: false,
          ...(isAnonymous ? {} : { cert, key }),
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("error", reject);
          response.on("end", () => {
            const answer = Buffer.concat(chunks).toString();
            const json: unknown = /^\s*[{[]/.test(answer) ? JSON.parse(answer) : undefined;
            resolve({ code: response.statusCode ?? 0, headers: response.headers, text: answer, json });
          });
        },
      );
      request.on("error", reject);
      request.end(text);
    });
  };
}
