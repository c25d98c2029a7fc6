/** What processes of a cluster cost, as the kernel counts it. */
import { readFileSync } from "node:fs";
import { type Lab, type LabProcess, labProcesses } from "../test/cluster/lab/index.ts";

/** Its proportional share of memory; 0 where it has ended. */
export function pssMegabytes(pid: number): number {
  return Number(/^Pss:\s+(\d+) kB/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0) / 1024;
}

/** Of all its threads, in seconds; 0 where it has ended. */
export function cpuSeconds(pid: number): number {
  const stat = read(`/proc/${pid}/stat`);
  const [user = 0, system = 0] = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .slice(11, 13)
    .map(Number);
  // USER_HZ, which is 100 on every architecture of Linux that Node runs on.
  return (user + system) / 100;
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** `pods`: the containers and their monitors. */
export type Part = "server" | "agent" | "holder" | "pods";

interface PartCost {
  readonly megabytes: number;
  readonly cpuSeconds: number;
  readonly processes: number;
}

/** The processes of a running cluster by what they are for. Agents are counted together. */
export function partCosts(lab: Lab): Readonly<Record<Part, PartCost>> {
  const costs = new Map<Part, PartCost>();
  for (const process of labProcesses(lab)) {
    const before = costs.get(partOf(process)) ?? nothing;
    costs.set(partOf(process), {
      megabytes: before.megabytes + pssMegabytes(process.pid),
      cpuSeconds: before.cpuSeconds + cpuSeconds(process.pid),
      processes: before.processes + 1,
    });
  }
  const of = (part: Part): PartCost => costs.get(part) ?? nothing;
  return { server: of("server"), agent: of("agent"), holder: of("holder"), pods: of("pods") };
}

/** What a process is for, by its command line; whatever flags Node was given. */
function partOf({ words }: Pick<LabProcess, "words">): Part {
  const at = words.findIndex((word) => /\/(main|netloom)\.(m?js|ts)$/.test(word));
  const command = at === -1 ? words[0]?.endsWith("tini") === true && "holder" : words[at + 1];
  return command === "server" || command === "agent" || command === "holder" ? command : "pods";
}

/** Undefined where none runs; of several agents the first. */
export function pidOf(lab: Lab, part: "server" | "agent"): number | undefined {
  return labProcesses(lab).find((process) => process.words[0]?.endsWith("node") === true && partOf(process) === part)
    ?.pid;
}

const nothing: PartCost = { megabytes: 0, cpuSeconds: 0, processes: 0 };
