/** Timestamps in the forms that Kubernetes writes: seconds for most, microseconds for a few. */

/** A timestamp cannot be read; the message is what Go's decoder, and so upstream, says. */
export class TimeError extends Error {
  override readonly name = "TimeError";
  readonly code = "TIME_INVALID";
}

const rfc3339 = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d+))?(Z|[+-]\d{2}:\d{2})$/;

function read(text: string, layout: string): { readonly seconds: string; readonly fraction: string } {
  const [, , fraction = ""] = rfc3339.exec(text) ?? [];
  const milliseconds = rfc3339.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(milliseconds)) {
    const quoted = JSON.stringify(text);
    throw new TimeError(`parsing time ${quoted} as "${layout}": cannot parse ${quoted} as "2006"`);
  }
  return { seconds: new Date(milliseconds).toISOString().slice(0, 19), fraction };
}

/** In UTC, whole seconds: `2026-11-20T10:00:00Z`. Throws `TimeError`. */
export function dateTime(text: string): string {
  return `${read(text, "2006-01-02T15:04:05Z07:00").seconds}Z`;
}

/** In UTC, microseconds: `2026-11-20T10:00:00.000000Z`. Throws `TimeError`. */
export function microTime(text: string): string {
  const { seconds, fraction } = read(text, "2006-01-02T15:04:05.000000Z07:00");
  return `${seconds}.${fraction.slice(0, 6).padEnd(6, "0")}Z`;
}
