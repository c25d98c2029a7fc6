/** Every path httpbin answers here, in one table. */
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { empty, json, redirect, text } from "./exchange.ts";
import type { Answer, Received } from "./exchange.ts";
import { pngImage, svgImage } from "./images.ts";
import * as pages from "./pages.ts";

/** What the routes need from outside. */
interface Surroundings {
  /** Resolves after `ms` milliseconds; rejects when the client is gone. */
  readonly sleep: (ms: number) => Promise<void>;
  readonly randomBytes: (count: number) => Uint8Array;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly uuid: () => string;
}

type Handle = (received: Received, surroundings: Surroundings) => Answer | Promise<Answer>;

export interface Route {
  /** Upper case; GET answers HEAD too. */
  readonly methods: readonly string[];
  /** `:name` stands for one segment, `*` at the end for any number. */
  readonly path: string;
  readonly handle: Handle;
}

const all = ["GET", "POST", "PUT", "PATCH", "DELETE"];
const maxDelaySeconds = 10;
const maxBytes = 100 * 1024;
const maxLines = 100;

export const routes: readonly Route[] = [
  get("/", () => text(pages.frontPage(routes.map(({ path }) => path)))),
  get("/get", (received) => json(pick(received, ["args", "headers", "origin", "url"]))),
  ...["POST", "PUT", "PATCH", "DELETE"].map((method): Route => {
    return { methods: [method], path: `/${method.toLowerCase()}`, handle: (received) => json(withBody(received)) };
  }),
  any("/anything", (received) => json({ ...withBody(received), method: received.method })),
  any("/anything/*", (received) => json({ ...withBody(received), method: received.method })),
  get("/headers", (received) => json(pick(received, ["headers"]))),
  get("/ip", (received) => json(pick(received, ["origin"]))),
  get("/user-agent", ({ headers }) => json({ "user-agent": headers["User-Agent"] ?? null })),
  any("/status/:codes", status),
  any("/delay/:seconds", delay),
  get("/bytes/:count", ({ params }, { randomBytes }) => bytes(randomBytes(countOf(params["count"], maxBytes)))),
  get("/stream-bytes/:count", ({ params }, { randomBytes }) => bytes(randomBytes(countOf(params["count"], maxBytes)))),
  get("/stream/:count", stream),
  get("/redirect/:count", (received) => redirectAgain(received, { isAbsolute: received.args["absolute"] === "true" })),
  get("/relative-redirect/:count", (received) => redirectAgain(received, { isAbsolute: false })),
  get("/absolute-redirect/:count", (received) => redirectAgain(received, { isAbsolute: true })),
  any("/redirect-to", redirectTo),
  get("/cookies", (received) => json(pick(received, ["cookies"]))),
  get("/cookies/set", ({ args }) => setCookies(Object.entries(args).map(([name, value]) => [name, firstOf(value)]))),
  get("/cookies/set/:name/:value", ({ params }) => setCookies([[params["name"] ?? "", params["value"] ?? ""]])),
  get("/cookies/delete", ({ args }) => deleteCookies(Object.keys(args))),
  get("/basic-auth/:user/:password", (received) => basicAuth(received, 401)),
  get("/hidden-basic-auth/:user/:password", (received) => basicAuth(received, 404)),
  get("/bearer", bearer),
  get("/json", () => json(pages.sampleJson)),
  get("/html", () => text(pages.samplePage)),
  get("/xml", () => text(pages.sampleXml, "application/xml")),
  get("/robots.txt", () => text(pages.robots, "text/plain")),
  get("/deny", () => text(pages.denied, "text/plain")),
  get("/encoding/utf8", () => text(pages.unicodeSample)),
  get("/uuid", (_received, { uuid }) => json({ uuid: uuid() })),
  get("/base64/:value", ({ params }) => text(Buffer.from(params["value"] ?? "", "base64url").toString())),
  get("/gzip", (received) => compressed(received, { flag: "gzipped", encoding: "gzip", compress: gzipSync })),
  get("/deflate", (received) => compressed(received, { flag: "deflated", encoding: "deflate", compress: deflateSync })),
  get("/brotli", (received) => compressed(received, { flag: "brotli", encoding: "br", compress: brotliCompressSync })),
  get("/image", image),
  get("/image/png", () => png()),
  get("/image/svg", () => text(svgImage, "image/svg+xml")),
  get("/cache", cache),
  get("/cache/:seconds", (received) => {
    const answer = json(pick(received, ["args", "headers", "origin", "url"]));
    const seconds = countOf(received.params["seconds"], Number.MAX_SAFE_INTEGER);
    return { ...answer, headers: { ...answer.headers, "Cache-Control": `public, max-age=${seconds}` } };
  }),
  any("/response-headers", responseHeaders),
];

function get(path: string, handle: Handle): Route {
  return { methods: ["GET"], path, handle };
}

function any(path: string, handle: Handle): Route {
  return { methods: all, path, handle };
}

function pick(received: Received, names: readonly (keyof Received)[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(names.map((name) => [name, received[name]]));
}

function withBody(received: Received): Readonly<Record<string, unknown>> {
  return { ...pick(received, ["args", "headers", "origin", "url"]), ...received.body };
}

/** "200", or "200,500:2" by weight. What is no such list is a bad request, as httpbin says. */
function status({ params, headers }: Received, { random }: Surroundings): Answer {
  const choices = (params["codes"] ?? "").split(",").map((choice) => {
    const [code = "", weight = "1"] = choice.split(":");
    return { code: Number(code), weight: Number(weight) };
  });
  const isRight = choices.every(({ code, weight }) => code >= 200 && code <= 999 && code % 1 === 0 && weight > 0);
  if (!isRight) return { ...text("Invalid status code", "text/html; charset=utf-8"), status: 400 };
  let at = random() * choices.reduce((sum, { weight }) => sum + weight, 0);
  const code = choices.find(({ weight }) => (at -= weight) < 0)?.code ?? 200;
  return statusAnswer(code, firstOf(headers["Accept"]));
}

function statusAnswer(code: number, accept: string): Answer {
  if ([301, 302, 303, 305, 307].includes(code)) return empty(code, { Location: "/redirect/1" });
  if (code === 401) return empty(code, { "WWW-Authenticate": 'Basic realm="Fake Realm"' });
  if (code === 407) return empty(code, { "Proxy-Authenticate": 'Basic realm="Fake Realm"' });
  if (code === 406)
    return json(
      { accept: ["image/webp", "image/svg+xml", "image/jpeg", "image/png", "image/*"], message: accept },
      { status: code },
    );
  if (code === 418)
    return { ...empty(code, { "x-more-info": "http://tools.ietf.org/html/rfc2324" }), body: pages.teapot };
  return empty(code);
}

async function delay(received: Received, { sleep }: Surroundings): Promise<Answer> {
  const seconds = Math.min(Math.max(Number(received.params["seconds"]) || 0, 0), maxDelaySeconds);
  await sleep(seconds * 1000);
  const { json: _json, ...body } = received.body;
  return json({ ...pick(received, ["args", "headers", "origin", "url"]), ...body });
}

function bytes(content: Uint8Array): Answer {
  return { status: 200, headers: { "Content-Type": "application/octet-stream" }, body: content };
}

function stream(received: Received): Answer {
  const count = countOf(received.params["count"], maxLines);
  const shared = pick(received, ["args", "headers", "origin", "url"]);
  async function* lines(): AsyncIterable<string> {
    for (let id = 0; id < count; id += 1) yield `${JSON.stringify({ ...shared, id })}\n`;
  }
  return { status: 200, headers: { "Content-Type": "application/json" }, body: lines() };
}

function redirectAgain({ params, url }: Received, { isAbsolute }: { readonly isAbsolute: boolean }): Answer {
  const left = countOf(params["count"], 100) - 1;
  const kind = isAbsolute ? "absolute" : "relative";
  const path = left < 1 ? "/get" : `/${kind}-redirect/${left}`;
  return redirect(isAbsolute ? new URL(path, url).href : path);
}

function redirectTo({ args, body }: Received): Answer {
  const location = firstOf(args["url"] ?? body.form["url"]);
  const code = Number(firstOf(args["status_code"] ?? body.form["status_code"]));
  const answer = redirect(location);
  return code >= 300 && code < 400 ? { ...answer, status: code } : answer;
}

function setCookies(pairs: readonly (readonly [string, string])[]): Answer {
  return redirect("/cookies", { "Set-Cookie": pairs.map(([name, value]) => `${name}=${value}; Path=/`) });
}

function deleteCookies(names: readonly string[]): Answer {
  const past = "Expires=Thu, 01-Jan-1970 00:00:00 GMT; Max-Age=0; Path=/";
  return redirect("/cookies", { "Set-Cookie": names.map((name) => `${name}=; ${past}`) });
}

function basicAuth({ params, headers }: Received, refusal: 401 | 404): Answer {
  const expected = `${params["user"] ?? ""}:${params["password"] ?? ""}`;
  const [, sent = ""] = /^Basic (.+)$/i.exec(firstOf(headers["Authorization"])) ?? [];
  if (Buffer.from(sent, "base64").toString() === expected) return json({ authenticated: true, user: params["user"] });
  return statusAnswer(refusal, "");
}

function bearer({ headers }: Received): Answer {
  const [, token] = /^Bearer (.+)$/.exec(firstOf(headers["Authorization"])) ?? [];
  return token === undefined ? empty(401, { "WWW-Authenticate": "Bearer" }) : json({ authenticated: true, token });
}

interface Compression {
  readonly flag: string;
  readonly encoding: string;
  readonly compress: (content: Buffer) => Buffer;
}

function compressed(received: Received, { flag, encoding, compress }: Compression): Answer {
  const plain = json({ [flag]: true, ...pick(received, ["headers", "method", "origin"]) });
  const content = compress(Buffer.from(typeof plain.body === "string" ? plain.body : ""));
  return { ...plain, headers: { ...plain.headers, "Content-Encoding": encoding }, body: content };
}

function png(): Answer {
  return { status: 200, headers: { "Content-Type": "image/png" }, body: pngImage() };
}

function image({ headers }: Received): Answer {
  const accept = firstOf(headers["Accept"]).toLowerCase();
  if (accept.includes("image/svg+xml")) return text(svgImage, "image/svg+xml");
  const takesPng = accept === "" || ["image/png", "image/*", "*/*"].some((type) => accept.includes(type));
  return takesPng ? png() : statusAnswer(406, "Client did not request a supported media type.");
}

function cache(received: Received): Answer {
  if ("If-Modified-Since" in received.headers || "If-None-Match" in received.headers) return empty(304);
  return json(pick(received, ["args", "headers", "origin", "url"]));
}

function responseHeaders({ args }: Received): Answer {
  const answer = json({ "Content-Type": "application/json", ...args });
  return { ...answer, headers: { ...answer.headers, ...args } };
}

function countOf(value: string | undefined, most: number): number {
  const count = Math.floor(Number(value));
  return Number.isFinite(count) ? Math.min(Math.max(count, 0), most) : 0;
}

function firstOf(value: string | readonly string[] | undefined): string {
  return typeof value === "string" ? value : (value?.[0] ?? "");
}
