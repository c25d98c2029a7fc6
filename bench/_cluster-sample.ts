/** What a cluster holds at a moment: memory, files, kernel objects, what lies on disk. */
import { type Dirent, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { createHttpsClient } from "../src/client/index.ts";
import { resources } from "../src/api/resources.ts";
import { eventually, type Lab, labProcesses } from "../test/cluster/lab/index.ts";

export type Sample = Readonly<Record<string, number>>;

const probeFile = join(import.meta.dirname, "_heap-probe.mjs");

/** What the cluster must be started with so that `liveHeap` can ask. */
export function probeEnvironment(lab: Lab): Readonly<Record<string, string>> {
  const folder = join(lab.folder, "heap");
  mkdirSync(folder);
  return { NODE_OPTIONS: `--import ${probeFile}`, NETLOOM_HEAP_PROBE: folder };
}

/** Megabytes of objects and buffers that were alive at the last full collection, all threads together. */
async function liveHeap(lab: Lab): Promise<Sample> {
  const folder = join(lab.folder, "heap");
  for (const file of readdirSync(folder)) rmSync(join(folder, file));
  const { server, agent } = mainProcesses(lab);
  for (const pid of [server, agent]) process.kill(pid, "SIGUSR2");
  const answers = async (pid: number, threads: number): Promise<number> => {
    const prefix = `${innerPid(pid)}-`;
    return await eventually(
      () => {
        const found = readdirSync(folder).filter((file) => file.startsWith(prefix) && !file.endsWith(".new"));
        if (found.length < threads) throw new Error(`${found.length} of ${threads} threads answered`);
        const bytes = found.map((file) => Number(readFileSync(join(folder, file), "utf8")));
        return Promise.resolve(megabytes(bytes.reduce((sum, one) => sum + one, 0)));
      },
      { timeoutMs: 20_000 },
    );
  };
  return {
    // With two threads more: the store's writer, and the one in the cluster's network.
    "server, live objects in MB": await answers(server, 3),
    "agent, live objects in MB": await answers(agent, 1),
  };
}

/** As the process knows itself. */
function innerPid(pid: number): string {
  return /^NSpid:.*\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? "";
}

export async function clusterSample(lab: Lab, client: ReturnType<typeof createHttpsClient>): Promise<Sample> {
  const { all, server, agent, init } = mainProcesses(lab);
  const live = await liveHeap(lab);
  const { nodes } = JSON.parse((await lab.netloom(["status", "-o", "json"])).stdout) as {
    readonly nodes: readonly { readonly kernel: Readonly<Record<string, number>> }[];
  };
  const inKernel = (what: string): number => nodes.reduce((sum, { kernel }) => sum + (kernel[what] ?? 0), 0);
  const state = join(lab.folder, "s/netloom/netloom");
  const run = join(`/proc/${init}/root`, lab.folder, "r/netloom/netloom");
  const events = await client.list(resources.events, { limit: 1 });
  return {
    ...live,
    "server, memory in MB": pssMegabytes(server),
    "agent, memory in MB": pssMegabytes(agent),
    "all processes, memory in MB": all.reduce((sum, { pid }) => sum + pssMegabytes(pid), 0),
    "server, open files": entries(`/proc/${server}/fd`),
    "agent, open files": entries(`/proc/${agent}/fd`),
    processes: all.length,
    mounts: readFileSync(`/proc/${init}/mounts`, "utf8").split("\n").length,
    "network namespaces": entries(join(run, "private/netns")),
    "links of all nodes": inKernel("links"),
    "routes of all nodes": inKernel("routes"),
    "rules of all nodes": inKernel("rules"),
    "set elements of all nodes": inKernel("elements"),
    "tracked connections of all nodes": inKernel("connections"),
    "files in the state folder": sizesBelow(state).length,
    "files in the run folder": sizesBelow(join(run, "private/nodes")).length,
    "Events stored": events.items.length + (events.metadata?.remainingItemCount ?? 0),
    "store in KB": kilobytes([join(state, "store.db"), join(state, "store.db-wal")].map(sizeOf)),
    "logs in KB": kilobytes(sizesBelow(join(state, "logs"))),
  };
}

/** Waits until as few processes and network namespaces are left as `before`, or ten seconds: then they are what is counted. */
export async function settled(lab: Lab, before: Sample): Promise<void> {
  for (let tries = 0; tries < 40; tries += 1) {
    const { all, init } = mainProcesses(lab);
    const namespaces = entries(join(`/proc/${init}/root`, lab.folder, "r/netloom/netloom/private/netns"));
    if (all.length <= (before["processes"] ?? 0) && namespaces <= (before["network namespaces"] ?? 0)) return;
    await sleep(250);
  }
}

function mainProcesses(lab: Lab) {
  const all = labProcesses(lab);
  const pidOf = (word: string): number =>
    all.find(({ words }) => words[0]?.endsWith("node") === true && words.includes(word))?.pid ?? 0;
  const init = all.find(({ words }) => words[0]?.endsWith("tini") === true)?.pid ?? 0;
  return { all, init, server: pidOf("server"), agent: pidOf("agent") };
}

/** Memory that is shared counts in parts. 0 where the process has ended meanwhile. */
function pssMegabytes(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
    return Math.round(Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0) / 1024);
  } catch {
    return 0;
  }
}

const megabytes = (bytes: number): number => Math.round(bytes / 1024 / 1024);
const kilobytes = (bytes: readonly number[]): number => Math.round(bytes.reduce((sum, one) => sum + one, 0) / 1024);
const entries = (folder: string): number => readdirSync(folder).length;
const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;

/** Of all files that a folder and its folders hold, mounts left out. What goes meanwhile is gone. */
function sizesBelow(folder: string): readonly number[] {
  const device = deviceOf(folder);
  return entriesOf(folder).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (deviceOf(path) !== device) return [];
    return entry.isDirectory() ? sizesBelow(path) : [lstatSync(path, { throwIfNoEntry: false })?.size ?? 0];
  });
}

const deviceOf = (path: string): number => lstatSync(path, { throwIfNoEntry: false })?.dev ?? -1;

function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
