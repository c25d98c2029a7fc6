/** What is kept of a container on disk, so that a new agent finds it: one folder each, and one file per exit. */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startErrorExitCode } from "../errors.ts";
import type { ContainerSpec, ContainerStatus } from "../runtime.ts";
import type { OutputPipes } from "./output-guard.ts";

export interface ContainerRecord {
  readonly spec: ContainerSpec;
  readonly createdAtMs: number;
  /** undefined until its process runs. */
  readonly startedAtMs: number | undefined;
  /** The container's first process, in the cluster's PID namespace. */
  readonly pid: number | undefined;
  /** "" unless it could not be started. */
  readonly startError: string;
  /** Absent with a terminal. */
  readonly pipes?: OutputPipes;
}

/** `runDir` is the node's folder for what does not survive the cluster's end. */
export function containerFolders(runDir: string) {
  const containers = join(runDir, "containers");
  const exits = join(runDir, "exits");
  return {
    containers,
    exits,
    /** crun's own state. */
    crun: join(runDir, "crun"),
    pods: join(runDir, "pods"),
    folder: (id: string) => join(containers, id),
    exitFile: (id: string) => join(exits, id),
    make(): void {
      for (const path of [containers, exits, join(runDir, "crun"), join(runDir, "pods")]) {
        mkdirSync(path, { recursive: true, mode: 0o711 });
      }
    },
  } as const;
}

export type ContainerFolders = ReturnType<typeof containerFolders>;

export function writeRecord(folders: ContainerFolders, record: ContainerRecord): void {
  const path = join(folders.folder(record.spec.id), "container.json");
  writeFileSync(`${path}.new`, JSON.stringify(record));
  renameSync(`${path}.new`, path);
}

/** All containers that were started, or could not be; not those whose agent was killed while it tried. */
export function readRecords(folders: ContainerFolders): readonly ContainerRecord[] {
  return readdirSync(folders.containers).flatMap((id) => {
    const record = readRecord(folders, id);
    return record !== undefined && (record.startedAtMs !== undefined || record.startError !== "") ? [record] : [];
  });
}

/** Undefined where it was not completely written. */
function readRecord(folders: ContainerFolders, id: string): ContainerRecord | undefined {
  try {
    return JSON.parse(readFileSync(join(folders.folder(id), "container.json"), "utf8")) as ContainerRecord;
  } catch {
    return undefined;
  }
}

/** How it ended, from conmon's exit file; undefined while it runs. */
export function readExit(
  folders: ContainerFolders,
  id: string,
): { readonly exitCode: number; readonly finishedAtMs: number } | undefined {
  try {
    const path = folders.exitFile(id);
    return { exitCode: Number.parseInt(readFileSync(path, "utf8"), 10), finishedAtMs: statSync(path).mtimeMs };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

export function removeExit(folders: ContainerFolders, id: string): void {
  rmSync(folders.exitFile(id), { force: true });
}

export function statusOf(
  record: ContainerRecord,
  exit: { readonly exitCode: number; readonly finishedAtMs: number } | undefined,
): ContainerStatus {
  const { spec, createdAtMs, startedAtMs, pid, startError } = record;
  const { id, pod, name, attempt, image, logPath } = spec;
  return {
    id,
    pod,
    name,
    attempt,
    image: { id: image.id, name: image.name, repoDigest: image.repoDigest },
    logPath,
    state: state(),
  };

  function state(): ContainerStatus["state"] {
    const end = { type: "exited", signal: 0, isOutOfMemory: false, message: startError } as const;
    if (startError !== "") {
      // Upstream reports a container that never ran as started at the epoch.
      return { ...end, startedAtMs: 0, finishedAtMs: createdAtMs, exitCode: startErrorExitCode };
    }
    if (exit !== undefined) {
      const { exitCode } = exit;
      return { ...end, startedAtMs: startedAtMs ?? createdAtMs, finishedAtMs: Math.round(exit.finishedAtMs), exitCode };
    }
    if (startedAtMs === undefined || pid === undefined) return { type: "created" };
    return { type: "running", pid, startedAtMs };
  }
}
