/** Links of a page behind a proxy: what names a path of its server must name the proxy's path in front of it. */
import type { IncomingHttpHeaders } from "node:http";
import { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createDeflate, createGunzip, createGzip, createInflate } from "node:zlib";
import type { RewritingStream as Rewriter } from "parse5-html-rewriting-stream";
import type { SaxToken, StartTag } from "parse5-sax-parser";

/** Which attributes of a tag hold a URL (HTML 4 and 5). */
const linkAttributes: ReadonlyMap<string, readonly string[]> = new Map([
  ["a", ["href"]],
  ["applet", ["codebase"]],
  ["area", ["href"]],
  ["audio", ["src"]],
  ["base", ["href"]],
  ["blockquote", ["cite"]],
  ["body", ["background"]],
  ["button", ["formaction"]],
  ["command", ["icon"]],
  ["del", ["cite"]],
  ["embed", ["src"]],
  ["form", ["action"]],
  ["frame", ["longdesc", "src"]],
  ["head", ["profile"]],
  ["html", ["manifest"]],
  ["iframe", ["longdesc", "src"]],
  ["img", ["longdesc", "src", "usemap"]],
  ["input", ["src", "usemap", "formaction"]],
  ["ins", ["cite"]],
  ["link", ["href"]],
  ["object", ["classid", "codebase", "data", "usemap"]],
  ["q", ["cite"]],
  ["script", ["src"]],
  ["source", ["src"]],
  ["video", ["poster", "src"]],
]);

/** Where the page's server stands: its path through the proxy, without the last slash, and its own `host:port`. */
export interface ProxiedServer {
  readonly prefix: string;
  readonly host: string;
}

/** The link as a browser in front of the proxy must follow it. Relative links and those to other servers stay. */
export function rewriteLink(link: string, { prefix, host }: ProxiedServer): string {
  const [, authority, path = ""] = /^(?:[a-z][a-z0-9+.-]*:)?(?:\/\/([^/?#]*))?(.*)$/is.exec(link.trim()) ?? [];
  const isOfServer = authority === host || (authority === undefined && link.trim() === path);
  if (!isOfServer || !path.startsWith("/") || path.startsWith(prefix)) return link;
  return prefix + path;
}

type Coding = "gzip" | "deflate" | "identity";

/** Whether a page of this type and coding can be read; others are passed on as they are. */
export function codingOfPage(headers: IncomingHttpHeaders): Coding | undefined {
  const [type = ""] = (headers["content-type"] ?? "").split(";");
  if (type.trim().toLowerCase() !== "text/html") return undefined;
  const coding = (headers["content-encoding"] ?? "identity").toLowerCase();
  return coding === "gzip" || coding === "deflate" || coding === "identity" ? coding : undefined;
}

/** Passes a page on with its links changed and every other byte as it came. Rejects where one side goes away. */
export async function passPage(
  page: NodeJS.ReadableStream,
  to: NodeJS.WritableStream,
  { coding, server }: { readonly coding: Coding; readonly server: ProxiedServer },
): Promise<void> {
  // Few requests need the parser, which costs more to load than the server's other parts together.
  const { RewritingStream } = await import("parse5-html-rewriting-stream");
  const steps = rewritingSteps(new RewritingStream(), server);
  if (coding === "identity") await pipeline([page, ...steps, to]);
  else if (coding === "gzip") await pipeline([page, createGunzip(), ...steps, createGzip(), to]);
  else await pipeline([page, createInflate(), ...steps, createDeflate(), to]);
}

/**
 * The page's bytes as they come out of the rewriter. They go through it one character a byte: whatever the page's
 * character set is, what is not changed stays as it was.
 */
function rewritingSteps(rewriter: Rewriter, server: ProxiedServer): readonly NodeJS.ReadWriteStream[] {
  /** What has gone in and not come out: a tag that the next chunk completes, or that the page's end cuts off. */
  let pending = "";
  let pendingFrom = 0;
  const pass = ({ sourceCodeLocation }: SaxToken, text: string): void => {
    rewriter.emitRaw(text);
    const end = sourceCodeLocation?.endOffset ?? pendingFrom;
    pending = pending.slice(end - pendingFrom);
    pendingFrom = end;
  };
  rewriter.on("startTag", (tag, raw) => pass(tag, rewriteTag(tag, raw, server)));
  rewriter.on("endTag", pass).on("text", pass).on("comment", pass).on("doctype", pass);
  return [
    Duplex.from(async function* (bytes: AsyncIterable<Buffer>) {
      for await (const chunk of bytes) {
        const text = chunk.toString("latin1");
        pending += text;
        yield text;
      }
    }),
    rewriter,
    Duplex.from(async function* (texts: AsyncIterable<string | Buffer>) {
      for await (const text of texts) yield Buffer.from(String(text), "latin1");
      yield Buffer.from(pending, "latin1");
    }),
  ];
}

/** By the attribute's name; the parser's types leave them out. */
type AttributePlaces = Readonly<
  Record<string, { readonly startOffset: number; readonly endOffset: number } | undefined>
>;

/** The tag's text with only the values changed that have to. */
function rewriteTag({ tagName, attrs, sourceCodeLocation }: StartTag, raw: string, server: ProxiedServer): string {
  const names = linkAttributes.get(tagName.toLowerCase());
  if (names === undefined || sourceCodeLocation === undefined || sourceCodeLocation === null) return raw;
  const { startOffset: start } = sourceCodeLocation;
  const places = "attrs" in sourceCodeLocation ? (sourceCodeLocation.attrs as AttributePlaces) : {};
  const changes = attrs
    .filter(({ name }) => names.includes(name))
    .flatMap(({ name, value }) => {
      const place = places[name];
      const link = rewriteLink(value, server);
      return place === undefined || link === value ? [] : [{ name, link, place }];
    })
    .toSorted((a, b) => b.place.startOffset - a.place.startOffset);
  let text = raw;
  for (const { name, link, place } of changes) {
    const value = link.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
    text = `${text.slice(0, place.startOffset - start)}${name}="${value}"${text.slice(place.endOffset - start)}`;
  }
  return text;
}
