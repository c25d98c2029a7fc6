/** `netloom logs [COMPONENT]`: what the processes of a cluster wrote. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { clusterPaths, type LogLevel } from "../model/cluster-config.ts";
import { clusterFolders, CommandError, noCluster } from "./clusters.ts";
import { createLineReader, isAtLeast, type LogEntry, renderEntry } from "./log-lines.ts";
import { LogReader } from "./log-reader.ts";

export interface LogsOptions {
  readonly name: string;
  /** Undefined: all but the audit log, which would drown them. */
  readonly component: string | undefined;
  readonly isFollowed: boolean;
  /** Only the last lines; undefined: all. */
  readonly tail: number | undefined;
  /** Only what was written since then, and what is written from now on; since 1970, undefined: all. */
  readonly sinceMs: number | undefined;
  /** Only what is as grave as that. */
  readonly level: LogLevel;
  /** `json`: as it was written. */
  readonly format: "text" | "json";
  readonly output: NodeJS.WritableStream;
  readonly signal: AbortSignal;
}

const pollMs = 100;
const auditLog = "audit";

/** In the order of time. Resolves at the end of the logs; with `isFollowed` when `signal` aborts or the logs are removed. */
export async function logs(options: LogsOptions): Promise<void> {
  const { component, isFollowed, tail, sinceMs = 0, signal } = options;
  const folder = clusterPaths(clusterFolders(options.name)).logs;
  const known = components(folder);
  if (known.length === 0) throw new CommandError(`There are no logs of a cluster "${options.name}": ${noCluster}`);
  if (component !== undefined && !known.includes(component)) {
    const remedy = component === auditLog ? '; "netloom up --audit-log" makes a cluster that has one' : "";
    throw new CommandError(`There is no component "${component}": choose one of ${known.join(", ")}${remedy}`);
  }
  const files = new Map<string, LogFile>();
  const open = (names: readonly string[]): void => {
    for (const name of names) if (!files.has(name)) files.set(name, new LogFile(folder, name));
  };
  const wanted = (): readonly string[] =>
    component === undefined ? components(folder).filter((name) => name !== auditLog) : [component];
  const read = (): readonly LogEntry[] =>
    [...files.values()]
      .flatMap((file) => file.read())
      .filter(({ level, timeMs }) => isAtLeast(level, options.level) && timeMs >= sinceMs)
      .toSorted((left, right) => left.timeMs - right.timeMs);
  open(wanted());
  try {
    const first = read();
    await write(options, tail === undefined ? first : first.slice(Math.max(0, first.length - tail)));
    if (!isFollowed) return;
    while (!signal.aborted && existsSync(folder)) {
      await sleep(pollMs);
      if (component === undefined) open(wanted());
      await write(options, read());
    }
  } finally {
    for (const file of files.values()) file.close();
  }
}

class LogFile {
  readonly #reader: LogReader;
  readonly #entries: (text: string) => readonly LogEntry[];

  constructor(folder: string, name: string) {
    this.#reader = new LogReader(join(folder, `${name}.log`));
    this.#entries = createLineReader(name);
  }

  /** Whole lines only, so that those of several components do not run into each other. */
  read = (): readonly LogEntry[] => this.#entries(this.#reader.read());

  close = (): void => this.#reader.close();
}

/** "server", "agent-1", …; without those that were rotated away. */
export function components(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith(".log"))
    .map((file) => file.slice(0, -4))
    .toSorted();
}

async function write({ output, format }: LogsOptions, entries: readonly LogEntry[]): Promise<void> {
  if (entries.length === 0) return;
  const text = entries.map((entry) => `${format === "json" ? entry.text : renderEntry(entry)}\n`).join("");
  await new Promise<void>((resolve) => output.write(text, () => resolve()));
}
