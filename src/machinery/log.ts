/** Structured logs: a constant message and key-value pairs, the same key everywhere (`service`, `node`, `pod`). */
import { writeSync } from "node:fs";
import { pino } from "pino";

export interface Logger {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** `fields.error` may be an Error: its message, code, cause and stack are written. */
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** A logger that adds `fields` to each line. */
  child(fields: Readonly<Record<string, unknown>>): Logger;
}

/** Writes JSON lines to stderr; the holder collects them into the component's log file. */
export function createLogger(component: string, options: { readonly level?: string } = {}): Logger {
  const base = pino(
    {
      level: options.level ?? "info",
      base: { component },
      // pino's own numbers say nothing to who reads them.
      formatters: { level: (label) => ({ level: label }) },
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { error: pino.stdSerializers.err },
    },
    logWriter(
      (bytes) => writeSync(2, bytes),
      (lost, reason) =>
        `${JSON.stringify({ level: "warn", time: new Date().toISOString(), component, lines: lost, reason, msg: "log lines were lost" })}\n`,
    ),
  );
  return wrap(base);
}

const retryMs = 1;
const mostRetries = 1000;

/**
 * A destination whose failures nobody has to handle: on a full or read-only disk lines are lost, and the first that is
 * written afterwards is followed by one that says how many. `write` is writeSync(2): it may write a part, or find a pipe full.
 */
export function logWriter(
  write: (bytes: Uint8Array) => number,
  describe: (lost: number, reason: string) => string,
): { write(line: string): void } {
  let lost = 0;
  let reason = "";
  return {
    write: (line) => {
      try {
        writeWhole(write, Buffer.from(line));
        if (lost === 0) return;
        writeWhole(write, Buffer.from(describe(lost, reason)));
        lost = 0;
      } catch (error) {
        lost += 1;
        reason = error instanceof Error ? error.message : String(error);
      }
    },
  };
}

function writeWhole(write: (bytes: Uint8Array) => number, bytes: Uint8Array): void {
  let rest = bytes;
  for (let retries = 0; rest.length > 0;) {
    try {
      rest = rest.subarray(write(rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN" || retries >= mostRetries) throw error;
      retries += 1;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, retryMs);
    }
  }
}

/** What is bound is merged here, not by pino's children: those would write a key twice that two of them bind. */
function wrap(base: pino.Logger, bound: Readonly<Record<string, unknown>> = {}): Logger {
  const writer =
    (level: "debug" | "info" | "warn" | "error"): Logger["info"] =>
    (message, fields) => {
      if (base.isLevelEnabled(level)) base[level]({ ...bound, ...fields }, message);
    };
  return {
    debug: writer("debug"),
    info: writer("info"),
    warn: writer("warn"),
    error: writer("error"),
    child: (fields) => wrap(base, { ...bound, ...fields }),
  };
}

/** For tests and for commands that speak to a person instead. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
};
