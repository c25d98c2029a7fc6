/** `/logs/…`: the node's log folder, as Go's file server shows it, which upstream's kubelet uses. */
import { closeSync, createReadStream, readdirSync, readSync } from "node:fs";
import type { ReadStream } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { HttpError } from "./http-error.ts";
import { openNodeFile } from "./node-file.ts";
import type { NodeFile } from "./node-file.ts";

const prefix = "/logs";
const folder = "/var/log";

/** As it was sent: a URL parser would take `%2e%2e` for a step up. */
const pathOf = ({ url = "/" }: IncomingMessage): string => url.replace(/[?#].*$/s, "");

export function isNodeLogs(request: IncomingMessage): boolean {
  const path = pathOf(request);
  return path === prefix || path.startsWith(`${prefix}/`);
}

/** Throws `HttpError`. */
export async function serveNodeLogs(
  request: IncomingMessage,
  response: ServerResponse,
  { nodeRoot }: { readonly nodeRoot: string },
): Promise<void> {
  if (request.method !== "GET") throw new HttpError(405, "405: Method Not Allowed");
  const pathname = pathOf(request);
  const path = decodedPath(pathname.slice(prefix.length));
  const file = open(nodeRoot, path);
  if (file === undefined) throw new HttpError(404, "404 page not found");
  const isFolder = file.stats.isDirectory();
  let reader: ReadStream | undefined;
  try {
    const last = pathname.slice(pathname.lastIndexOf("/") + 1);
    response.setHeader("Last-Modified", file.stats.mtime.toUTCString());
    // Relative links of a listing need the slash, and a file has none.
    if (isFolder && last !== "") redirect(response, `${last}/`);
    else if (!isFolder && last === "") redirect(response, `../${pathname.split("/").at(-2) ?? ""}`);
    else if (isFolder) sendListing(response, file);
    else reader = startFile(request, response, file);
  } finally {
    // Who reads it closes it, after the last read.
    if (reader === undefined) closeSync(file.fd);
  }
  if (reader === undefined) return;
  await pipeline(reader, response).catch((error: unknown) => {
    // A client that has read enough.
    if ((error as NodeJS.ErrnoException).code !== "ERR_STREAM_PREMATURE_CLOSE") throw error;
  });
}

/** Every `..` stays at the top; a byte that no path has names nothing. */
function decodedPath(path: string): string {
  try {
    const decoded = decodeURIComponent(path);
    return decoded.includes("\0") ? "/\uFFFD" : decoded;
  } catch {
    throw new HttpError(400, "Bad Request");
  }
}

function open(nodeRoot: string, path: string): NodeFile | undefined {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  try {
    return openNodeFile({ root: nodeRoot, folder }, parts.join("/"));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EACCES" || code === "EPERM") throw new HttpError(403, "403 Forbidden");
    throw error;
  }
}

function redirect(response: ServerResponse, location: string): void {
  response.writeHead(301, { Location: location }).end();
}

function sendListing(response: ServerResponse, { fd }: NodeFile): void {
  const opened = `/proc/self/fd/${fd}`;
  const names = readdirSync(opened, { withFileTypes: true })
    .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
    .toSorted((one, other) => (one < other ? -1 : 1));
  const lines = names.map((name) => `<a href="${hrefOf(name)}">${escaped(name)}</a>\n`);
  const page = ["<!doctype html>\n", '<meta name="viewport" content="width=device-width">\n', "<pre>\n", ...lines];
  response.writeHead(200, { "Content-Type": "text/html; charset=utf-8" });
  response.end(`${page.join("")}</pre>\n`);
}

/** As Go writes a relative URL, without HTML entities: a colon in its first part would make it a scheme. */
function hrefOf(name: string): string {
  const path = encodeURIComponent(name)
    .replace(/%(?:24|26|2B|2C|2F|3A|3B|3D|40)/g, decodeURIComponent)
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
  return path.includes(":") ? `./${path}` : path;
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&#34;",
  "'": "&#39;",
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}

/** Answers with the head; undefined where nothing follows. A log that grows meanwhile is read up to its size of now. */
function startFile(
  request: IncomingMessage,
  response: ServerResponse,
  { fd, stats }: NodeFile,
): ReadStream | undefined {
  const { size } = stats;
  const since = Date.parse(request.headers["if-modified-since"] ?? "");
  if (Math.floor(stats.mtimeMs / 1000) * 1000 <= since) {
    response.writeHead(304).end();
    return undefined;
  }
  const wanted = rangeOf(request.headers.range, size);
  if (wanted === "unsatisfiable") {
    response.writeHead(416, { "Content-Range": `bytes */${size}` }).end();
    return undefined;
  }
  const { start, end } = wanted ?? { start: 0, end: size - 1 };
  response.writeHead(wanted === undefined ? 200 : 206, {
    "Content-Type": typeOf(fd),
    "Accept-Ranges": "bytes",
    "Content-Length": end - start + 1,
    ...(wanted === undefined ? {} : { "Content-Range": `bytes ${start}-${end}/${size}` }),
  });
  if (end >= start) return createReadStream("", { fd, start, end });
  response.end();
  return undefined;
}

/** One range, as curl and `kubectl` ask for; several are answered with the whole file. */
function rangeOf(
  header: string | undefined,
  size: number,
): { readonly start: number; readonly end: number } | "unsatisfiable" | undefined {
  const [, from = "", to = ""] = /^bytes=(\d*)-(\d*)$/.exec(header ?? "") ?? [];
  if (from === "" && to === "") return undefined;
  if (from === "") return size === 0 ? "unsatisfiable" : { start: Math.max(0, size - Number(to)), end: size - 1 };
  const start = Number(from);
  if (start >= size) return "unsatisfiable";
  const end = to === "" ? size - 1 : Math.min(Number(to), size - 1);
  return end < start ? undefined : { start, end };
}

/** By its first bytes, as Go tells what has no known ending: packed, text, or neither. */
function typeOf(fd: number): string {
  const head = Buffer.alloc(512);
  const start = head.subarray(0, readSync(fd, head, 0, head.length, 0));
  if (start[0] === 0x1f && start[1] === 0x8b) return "application/x-gzip";
  const isBinary = start.some((byte) => byte < 0x09 || byte === 0x0b || (byte > 0x0d && byte < 0x20 && byte !== 0x1b));
  return isBinary ? "application/octet-stream" : "text/plain; charset=utf-8";
}
