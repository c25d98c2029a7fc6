/** A request's body as httpbin shows it. */
import { valuesOf } from "./exchange.ts";
import type { ReceivedBody } from "./exchange.ts";

/** @param contentType - The header; "" where there is none. */
export function parseBody(bytes: Buffer, contentType: string): ReceivedBody {
  const nothing: ReceivedBody = { data: "", form: {}, files: {}, json: null };
  if (bytes.length === 0) return nothing;
  const type = contentType.split(";")[0]?.trim().toLowerCase() ?? "";
  if (type === "application/x-www-form-urlencoded")
    return { ...nothing, form: valuesOf(new URLSearchParams(bytes.toString())) };
  const boundary = /boundary="?([^";]+)"?/i.exec(contentType)?.[1];
  if (type === "multipart/form-data" && boundary !== undefined)
    return { ...nothing, ...parseMultipart(bytes, boundary) };
  return { ...nothing, data: shown(bytes), json: parseJson(bytes) };
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString()) as unknown;
  } catch {
    // Bodies need not be JSON: httpbin shows null then.
    return null;
  }
}

function shown(bytes: Buffer): string {
  const text = bytes.toString();
  return text.includes("\ufffd") ? `data:application/octet-stream;base64,${bytes.toString("base64")}` : text;
}

/** RFC 7578. What does not have the form of a part is left out. */
function parseMultipart(bytes: Buffer, boundary: string): Pick<ReceivedBody, "form" | "files"> {
  const fields: (readonly [string, string])[] = [];
  const files: (readonly [string, string])[] = [];
  // Latin-1 keeps each byte as one character, so that positions and contents survive.
  for (const part of bytes.toString("latin1").split(`--${boundary}`).slice(1, -1)) {
    const headEnd = part.indexOf("\r\n\r\n");
    const head = part.slice(0, Math.max(0, headEnd));
    const name = /name="([^"]*)"/i.exec(head)?.[1];
    if (name === undefined) continue;
    // The line break before the next boundary belongs to that.
    const value = shown(Buffer.from(part.slice(headEnd + 4, -2), "latin1"));
    if (/filename=/i.test(head)) files.push([name, value]);
    else fields.push([name, value]);
  }
  return { form: valuesOf(fields), files: valuesOf(files) };
}
