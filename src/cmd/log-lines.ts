/** Lines of logs as a person reads them, and what is asked of them: how grave they are, and when they were written. */

import { type LogLevel, logLevels } from "../model/cluster-config.ts";

/** A line, or several that belong together: what a crash prints is no log line, and follows the one before it. */
export interface LogEntry {
  /** "server", "agent-1", …: whose log it is of. */
  readonly component: string;
  /** Since 1970; of what is no log line, that of the entry before it. */
  readonly timeMs: number;
  readonly level: LogLevel;
  /** As it was written, without the line feed. */
  readonly text: string;
  /** Undefined where it is no JSON object. */
  readonly fields: Readonly<Record<string, unknown>> | undefined;
}

/** Reads lines of one log, one after the other. */
export function createLineReader(component: string): (text: string) => readonly LogEntry[] {
  let timeMs = 0;
  return (text) =>
    text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => {
        const fields = objectOf(line);
        const time = Date.parse(textOf(fields?.["time"] ?? fields?.["stageTimestamp"]));
        if (!Number.isNaN(time)) timeMs = time;
        return { component, timeMs, level: levelOf(fields), text: line, fields };
      });
}

export const isAtLeast = (level: LogLevel, least: LogLevel): boolean =>
  logLevels.indexOf(level) >= logLevels.indexOf(least);

/** "2026-11-20T16:42:13.293Z INFO  server   Serving the API port=6443"; what is no log line is only told whose it is. */
export function renderEntry({ component, level, text, fields }: LogEntry): string {
  const whose = component.padEnd(8);
  if (fields === undefined) return `${" ".repeat(24)} ${"".padEnd(5)} ${whose} ${text}`;
  if (fields["kind"] === "Event") return renderRequest(fields);
  const { time, level: _, component: __, msg, pid: ___, hostname: ____, error, ...rest } = fields;
  const pairs = Object.entries(rest).map(([key, value]) => `${key}=${shown(value)}`);
  const why = error === undefined ? [] : [`error=${shown(messageOf(error))}`];
  return [textOf(time).padEnd(24), level.toUpperCase().padEnd(5), whose, textOf(msg), ...pairs, ...why].join(" ");
}

/** Of an Event of the audit log: who asked for what, and what came of it. */
function renderRequest(event: NonNullable<LogEntry["fields"]>): string {
  const { stageTimestamp, stage, verb, requestURI, user, responseStatus } = event as {
    readonly stageTimestamp?: string;
    readonly stage?: string;
    readonly verb?: string;
    readonly requestURI?: string;
    readonly user?: { readonly username?: string };
    readonly responseStatus?: { readonly code?: number };
  };
  // The API writes microseconds; a column is as wide as the others.
  const time = (stageTimestamp ?? "").replace(/(\.\d{3})\d*Z$/, "$1Z");
  const answer = stage === "ResponseComplete" ? `${responseStatus?.code ?? ""}` : (stage ?? "");
  return [time, "INFO ", "audit   ", user?.username ?? "", verb ?? "", requestURI ?? "", answer].join(" ");
}

function objectOf(line: string): LogEntry["fields"] {
  if (!line.startsWith("{")) return undefined;
  try {
    return JSON.parse(line) as LogEntry["fields"];
  } catch {
    return undefined;
  }
}

/** A process that speaks outside of its log is in trouble. */
function levelOf(fields: LogEntry["fields"]): LogLevel {
  if (fields === undefined) return "error";
  const level = fields["level"];
  return logLevels.find((one) => one === level) ?? ofNumber(level);
}

/** As older releases wrote them: pino's numbers. */
function ofNumber(level: unknown): LogLevel {
  if (typeof level !== "number") return "info";
  if (level < 30) return "debug";
  if (level < 40) return "info";
  return level < 50 ? "warn" : "error";
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

const messageOf = (error: unknown): unknown =>
  typeof error === "object" && error !== null && "message" in error ? error.message : error;

/** Bare where that is one word, as logfmt has it; control characters, which a terminal would obey, never are. */
function shown(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  return typeof value !== "string" || /^[^\s"=\p{Cc}]+$/u.test(text) ? text : JSON.stringify(text);
}
