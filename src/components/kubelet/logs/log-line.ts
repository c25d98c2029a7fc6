/** Kubernetes' log format: `<time> <stream> <tags> <text>`, where tag P says that the line goes on in the next record. */

export interface LogRecord {
  /** As written: "2026-01-01T00:00:00.123456789Z". */
  readonly time: string;
  readonly stream: "stdout" | "stderr";
  /** With its line end, unless the line goes on. */
  readonly text: Buffer;
  readonly isPartial: boolean;
}

const space = 0x20;
const newline = Buffer.from("\n");

/** Reads one line of the file without its line end; undefined: it is none of a log. */
export function parseLogLine(line: Buffer): LogRecord | undefined {
  const timeEnd = line.indexOf(space);
  const streamEnd = timeEnd < 0 ? -1 : line.indexOf(space, timeEnd + 1);
  if (streamEnd < 0) return undefined;
  // Monitors write UTC as an offset; Kubernetes shows it as Z.
  const time = line.toString("latin1", 0, timeEnd).replace(/\+00:00$/, "Z");
  const stream = line.toString("latin1", timeEnd + 1, streamEnd);
  if (Number.isNaN(Date.parse(time)) || (stream !== "stdout" && stream !== "stderr")) return undefined;
  const tagEnd = line.indexOf(space, streamEnd + 1);
  const tags = line.toString("latin1", streamEnd + 1, tagEnd < 0 ? line.length : tagEnd);
  const isPartial = tags.split(":")[0] === "P";
  const text = tagEnd < 0 ? Buffer.alloc(0) : line.subarray(tagEnd + 1);
  return { time, stream, text: isPartial ? text : Buffer.concat([text, newline]), isPartial };
}

/** Reads a line of netloom's own logs, JSON with a `time`; the line is shown as it is. */
export function parseJsonLogLine(line: Buffer): LogRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line.toString("utf8"));
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || !("time" in value)) return undefined;
  const { time } = value;
  if (typeof time !== "string" || Number.isNaN(Date.parse(time))) return undefined;
  return { time, stream: "stderr", text: Buffer.concat([line, newline]), isPartial: false };
}

/** Cuts a byte stream into lines; the last one is kept until its end comes. */
export class LineSplitter {
  #rest: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): readonly Buffer[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const lines: Buffer[] = [];
    let start = 0;
    for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, start)) {
      lines.push(bytes.subarray(start, end));
      start = end + 1;
    }
    this.#rest = bytes.subarray(start);
    return lines;
  }
}
