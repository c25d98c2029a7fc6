/** How long the commands take that people and scripts ask often: by the clock, and in CPU time. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Lab } from "../test/cluster/lab/index.ts";
import { median } from "./_table.ts";

export const commandsMeasured: readonly (readonly string[])[] = [
  ["list"],
  ["status"],
  ["status", "-o", "wide"],
  ["ports"],
];

export interface AnswerTime {
  /** The median of all tries. */
  readonly wallMs: number;
  /** The mean of all tries, with that of the programs it started. */
  readonly cpuMs: number;
}

const tries = 5;
const bundle = join(dirname(fileURLToPath(import.meta.url)), "../dist/main.js");

/** By the index of `commandsMeasured`; by the bundle that an installed netloom starts. */
export function measureAnswers(lab: Lab): readonly AnswerTime[] {
  return commandsMeasured.map((command) => {
    const cpuBefore = childrenCpuMs();
    const walls = Array.from({ length: tries }, () => {
      const started = performance.now();
      const { status, stderr } = spawnSync(process.execPath, [bundle, ...command], { env: lab.env, encoding: "utf8" });
      if (status !== 0) throw new Error(`netloom ${command.join(" ")}: ${stderr}`);
      return performance.now() - started;
    });
    return { wallMs: median(walls), cpuMs: (childrenCpuMs() - cpuBefore) / tries };
  });
}

/** Of all that this process has waited for: cutime and cstime, in ticks of 10 ms. */
function childrenCpuMs(): number {
  const stat = readFileSync("/proc/self/stat", "utf8");
  const [user = 0, system = 0] = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .slice(13, 15)
    .map(Number);
  return (user + system) * 10;
}
