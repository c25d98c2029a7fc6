/** What a cluster holds in the kernel and among the processes, to be compared before and after. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Lab } from "./lab.ts";

export interface LabProcess {
  readonly pid: number;
  readonly parent: number;
  /** The words of its command line. */
  readonly words: readonly string[];
}

/** The processes of a lab's cluster as the host sees them, by what their command lines mention. */
export function labProcesses(lab: Lab): readonly LabProcess[] {
  const all = processes();
  const init = all.find(
    ({ words }) => words[0]?.endsWith("tini") === true && words.some((word) => word.startsWith(lab.folder)),
  );
  const found = new Set(init === undefined ? [] : [init.pid]);
  // A parent may have a higher number than its child: once around for each generation.
  for (let before = 0; before < found.size;) {
    before = found.size;
    for (const { pid, parent } of all) if (found.has(parent)) found.add(pid);
  }
  return all.filter(({ pid }) => found.has(pid));
}

function processes(): readonly LabProcess[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const words = readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0").filter(Boolean);
        return words.length === 0 ? [] : [{ pid: Number(name), parent: parentOf(Number(name)), words }];
      } catch {
        // It ended while we looked.
        return [];
      }
    });
}

/** 0 where it has ended. */
function parentOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return 0;
  }
}

/** By node, and the network namespaces under "netns". */
export type KernelState = Readonly<Record<string, readonly string[]>>;

/** Rules, routes and links of each node, and the namespaces there are. */
export async function kernelState(lab: Lab, nodes: readonly string[]): Promise<KernelState> {
  const init = labProcesses(lab).find(({ words }) => words[0]?.endsWith("tini") === true);
  const perNode = await Promise.all(
    nodes.map(async (node) => {
      const script = "nft -s list ruleset; ip route; ip -o link | grep -o '^[0-9]*: [^@:]*' | cut -d' ' -f2";
      const { stdout } = await lab.netloom(["exec", node, "--", "sh", "-c", script]);
      // nft puts several elements on a line.
      return [
        node,
        stdout
          .split(/[\n,{}]/)
          .map((part) => part.trim())
          .filter(Boolean),
      ] as const;
    }),
  );
  const netns = readdirSync(join(`/proc/${init?.pid}/root`, lab.folder, "r/netloom/netloom/private/netns"));
  return { ...Object.fromEntries(perNode), netns: netns.toSorted() };
}

/** How much of one processor the cluster's processes use while `work` goes on: 1 for a whole one. */
export async function processorUse(lab: Lab, work: () => Promise<void>): Promise<number> {
  const before = clockTicks(lab);
  const started = performance.now();
  await work();
  const after = clockTicks(lab);
  const ticks = [...after].reduce((sum, [pid, count]) => sum + count - (before.get(pid) ?? 0), 0);
  // USER_HZ is 100 on every platform Node runs on.
  return (ticks * 10) / (performance.now() - started);
}

/** Of each process, its children that it has waited for included. */
function clockTicks(lab: Lab): ReadonlyMap<number, number> {
  return new Map(
    labProcesses(lab).map(({ pid }) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
        const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        return [pid, fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0)];
      } catch {
        return [pid, 0];
      }
    }),
  );
}
