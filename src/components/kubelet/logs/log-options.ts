/** What a request for logs asks for. */
export interface LogOptions {
  readonly follow: boolean;
  readonly previous: boolean;
  readonly timestamps: boolean;
  /** Lines of the file from its end; undefined: all. */
  readonly tailLines: number | undefined;
  readonly sinceMs: number | undefined;
  readonly limitBytes: number | undefined;
  readonly stream: "stdout" | "stderr" | undefined;
}

/** A query that names no sensible logs; the message is upstream's. */
export class LogOptionsError extends Error {
  override readonly name = "LogOptionsError";
  readonly code = "LOG_OPTIONS";
}

/** Throws `LogOptionsError`. */
export function parseLogOptions(query: URLSearchParams, nowMs: number): LogOptions {
  const number = (name: string, least: number): number | undefined => {
    const text = query.get(name);
    if (text === null || text === "") return undefined;
    const value = Number(text);
    if (!Number.isInteger(value) || value < least) {
      const rule = least === 0 ? "must be greater than or equal to 0" : "must be greater than 0";
      throw new LogOptionsError(`Invalid value: ${JSON.stringify(text)}: ${name} ${rule}`);
    }
    return value;
  };
  const flag = (name: string): boolean => ["true", "1"].includes(query.get(name) ?? "");
  const sinceSeconds = number("sinceSeconds", 1);
  const sinceTime = query.get("sinceTime");
  if (sinceSeconds !== undefined && sinceTime !== null) {
    throw new LogOptionsError("at most one of `sinceTime` or `sinceSeconds` may be specified");
  }
  if (sinceTime !== null && Number.isNaN(Date.parse(sinceTime))) {
    throw new LogOptionsError(
      `Invalid value: ${JSON.stringify(sinceTime)}: sinceTime must be a time as RFC 3339 has it`,
    );
  }
  const stream = query.get("stream")?.toLowerCase();
  return {
    follow: flag("follow"),
    previous: flag("previous"),
    timestamps: flag("timestamps"),
    tailLines: number("tailLines", 0),
    sinceMs: sinceSeconds === undefined ? parseTime(sinceTime) : nowMs - sinceSeconds * 1000,
    limitBytes: number("limitBytes", 1),
    stream: stream === "stdout" || stream === "stderr" ? stream : undefined,
  };
}

function parseTime(text: string | null): number | undefined {
  return text === null ? undefined : Date.parse(text);
}
