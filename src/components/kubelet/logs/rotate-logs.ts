/** Keeps the logs of running containers from growing for ever, in upstream's way: five files of 10 MiB, old ones packed. */
import { createReadStream, createWriteStream, renameSync, rmSync, statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { ContainerRuntime } from "../../../container/runtime.ts";
import type { Clock } from "../../../machinery/clock.ts";
import type { Logger } from "../../../machinery/log.ts";

const maxBytes = 10 * 1024 * 1024;
const maxFiles = 5;
const intervalMs = 10_000;

export async function rotateLogs(
  options: {
    readonly runtime: Pick<ContainerRuntime, "list" | "reopenLog">;
    readonly clock: Clock;
    readonly log: Logger;
  },
  signal: AbortSignal,
): Promise<void> {
  const { runtime, clock, log } = options;
  while (!signal.aborted) {
    await clock.sleep(intervalMs, signal).catch(() => undefined);
    if (signal.aborted) return;
    for (const { id, logPath, state } of await runtime.list()) {
      const size = statSync(logPath, { throwIfNoEntry: false })?.size ?? 0;
      if (state.type !== "running" || size < maxBytes) continue;
      await rotateLog(logPath, { nowMs: clock.now(), reopen: () => runtime.reopenLog(id) }).catch((error: unknown) =>
        log.warn("cannot rotate a container's log", { container: id, logPath, error }),
      );
    }
  }
}

/** `0.log` becomes `0.log.20261120-101112`; what was that before is packed, and the oldest go. */
async function rotateLog(
  path: string,
  { nowMs, reopen }: { readonly nowMs: number; readonly reopen: () => void },
): Promise<void> {
  const folder = dirname(path);
  const stale = (await readdir(folder)).filter((name) => name.startsWith(`${basename(path)}.`)).toSorted();
  const rotated = stale.filter((name) => !name.endsWith(".tmp"));
  // Two places are for the log of now and the one that is rotated now.
  const isExcess = (name: string): boolean => rotated.indexOf(name) < rotated.length - (maxFiles - 2);
  for (const name of stale) {
    if (isExcess(name) || name.endsWith(".tmp")) rmSync(join(folder, name), { force: true });
    else if (!name.endsWith(".gz")) await pack(join(folder, name));
  }
  const to = `${path}.${timestamp(nowMs)}`;
  renameSync(path, to);
  try {
    reopen();
  } catch (error) {
    renameSync(to, path);
    throw error;
  }
}

async function pack(path: string): Promise<void> {
  await pipeline(createReadStream(path), createGzip(), createWriteStream(`${path}.tmp`));
  renameSync(`${path}.tmp`, `${path}.gz`);
  rmSync(path);
}

/** In the order of time, as upstream names it. */
function timestamp(ms: number): string {
  const [date = "", time = ""] = new Date(ms).toISOString().split("T");
  return `${date.replaceAll("-", "")}-${time.slice(0, 8).replaceAll(":", "")}`;
}
