/** The ends of a cluster's logs, for the user to see what went wrong before they are removed. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createLineReader, isAtLeast, type LogEntry } from "./log-lines.ts";

const linesPerLog = 4;
const longestLine = 400;

/** Warnings, errors and what is no log line (a crash), newest last; undefined where nothing was written. */
export function lastWords(folder: string): string | undefined {
  if (!existsSync(folder)) return undefined;
  const parts = readdirSync(folder).flatMap((name) => {
    const lines = createLineReader(name)(readFileSync(join(folder, name), "utf8"))
      .filter(({ level }) => isAtLeast(level, "warn"))
      .map((entry) => inWords(entry).slice(0, longestLine));
    return lines.length === 0 ? [] : [`--- ${name}`, ...lines.slice(-linesPerLog)];
  });
  return parts.length === 0 ? undefined : parts.join("\n");
}

function inWords({ text, fields }: LogEntry): string {
  if (fields === undefined) return text;
  const { msg, error } = fields as { readonly msg?: string; readonly error?: { readonly message?: string } };
  return error?.message === undefined ? (msg ?? text) : `${msg}: ${error.message}`;
}
