/** The ends of a cluster's logs, for the user to see what went wrong before they are removed. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const linesPerLog = 4;
const longestLine = 400;

/** Warnings, errors and what is no log line (a crash), newest last; undefined where nothing was written. */
export function lastWords(folder: string): string | undefined {
  if (!existsSync(folder)) return undefined;
  const parts = readdirSync(folder).flatMap((name) => {
    const lines = readFileSync(join(folder, name), "utf8").split("\n").flatMap(worthSaying);
    return lines.length === 0 ? [] : [`--- ${name}`, ...lines.slice(-linesPerLog)];
  });
  return parts.length === 0 ? undefined : parts.join("\n");
}

interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly error?: { readonly message?: string };
}

/** pino's level 40 is a warning. */
function worthSaying(line: string): readonly string[] {
  if (line === "") return [];
  let parsed: LogLine;
  try {
    parsed = JSON.parse(line) as LogLine;
  } catch {
    return [line.slice(0, longestLine)];
  }
  if (parsed.level < 40) return [];
  const why = parsed.error?.message;
  return [(why === undefined ? parsed.msg : `${parsed.msg}: ${why}`).slice(0, longestLine)];
}
