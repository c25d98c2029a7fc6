/** `netloom logs [COMPONENT]`: what the processes of a cluster wrote. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { clusterPaths } from "../model/cluster-config.ts";
import { clusterFolders, CommandError, noCluster } from "./clusters.ts";
import { LogReader } from "./log-reader.ts";

export interface LogsOptions {
  readonly name: string;
  /** Undefined: all, one after the other; followed, in the order in which they are written. */
  readonly component: string | undefined;
  readonly isFollowed: boolean;
  /** Only the last lines; undefined: all. */
  readonly tail: number | undefined;
  readonly output: NodeJS.WritableStream;
  readonly signal: AbortSignal;
}

const pollMs = 100;

/** Resolves at the end of the logs; with `isFollowed` when `signal` aborts or the logs are removed. */
export async function logs(options: LogsOptions): Promise<void> {
  const { output, tail, isFollowed, signal } = options;
  const folder = clusterPaths(clusterFolders(options.name)).logs;
  const known = components(folder);
  if (known.length === 0) throw new CommandError(`There are no logs of a cluster "${options.name}": ${noCluster}`);
  const { component } = options;
  if (component !== undefined && !known.includes(component)) {
    throw new CommandError(`There is no component "${component}": choose one of ${known.join(", ")}`);
  }
  const readers = new Map<string, LogReader>();
  const open = (names: readonly string[]): void => {
    for (const name of names) if (!readers.has(name)) readers.set(name, new LogReader(join(folder, `${name}.log`)));
  };
  open(component === undefined ? known : [component]);
  try {
    for (const reader of readers.values()) await write(output, lastLines(reader.read(), tail));
    if (!isFollowed) return;
    while (!signal.aborted && existsSync(folder)) {
      await sleep(pollMs);
      // Whole lines only, so that those of several components do not run into each other.
      for (const reader of readers.values()) await write(output, reader.read());
      if (component === undefined) open(components(folder));
    }
  } finally {
    for (const reader of readers.values()) reader.close();
  }
}

/** "server", "agent-1", …; without those that were rotated away. */
export function components(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith(".log"))
    .map((file) => file.slice(0, -4))
    .toSorted();
}

function lastLines(text: string, count: number | undefined): string {
  if (count === undefined) return text;
  const lines = text.split("\n").slice(0, -1);
  return lines
    .slice(Math.max(0, lines.length - count))
    .map((line) => `${line}\n`)
    .join("");
}

async function write(output: NodeJS.WritableStream, text: string): Promise<void> {
  if (text === "") return;
  await new Promise<void>((resolve) => output.write(text, () => resolve()));
}
