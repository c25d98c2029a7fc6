/** Log lines in CoreDNS's form: `[INFO] plugin/ready: …`, so that `kubectl logs` shows what its users know. */
import type { Logger } from "../../machinery/log.ts";

/** `fields.plugin` goes before the message, an error's message behind it, any other field as `key=value`. */
export function createDnsLogger(write: (line: string) => void, fields: Readonly<Record<string, unknown>> = {}): Logger {
  const line = (level: string, message: string, more: Readonly<Record<string, unknown>>): void => {
    const { plugin, error, ...rest } = { ...fields, ...more };
    const who = typeof plugin === "string" ? `plugin/${plugin}: ` : "";
    const values = Object.entries(rest).map(([key, value]) => ` ${key}=${String(value)}`);
    const cause = error instanceof Error ? `: ${error.message}` : "";
    write(`[${level}] ${who}${message}${values.join("")}${cause}\n`);
  };
  return {
    debug: () => undefined,
    info: (message, more = {}) => line("INFO", message, more),
    warn: (message, more = {}) => line("WARNING", message, more),
    error: (message, more = {}) => line("ERROR", message, more),
    child: (more) => createDnsLogger(write, { ...fields, ...more }),
  };
}
