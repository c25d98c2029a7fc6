/** This process' own memory. */
import { performance } from "node:perf_hooks";
import { trimHeap } from "../libc/index.ts";
import type { ProcessMemory } from "./idle-collection.ts";

type Collect = (options: { readonly type: "major"; readonly flavor: "last-resort" }) => void;

/** Needs Node's `--expose-gc`; without it `collect` only returns what is free already. */
export function processMemory(): ProcessMemory {
  const collect = (globalThis as { readonly gc?: Collect }).gc;
  let last = performance.eventLoopUtilization();
  return {
    residentBytes: () => process.memoryUsage.rss(),
    busyShare: () => {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, last);
      last = now;
      return utilization;
    },
    collect: () => {
      // Only this flavour returns pages to the system; an ordinary collection keeps them for the next burst.
      collect?.({ type: "major", flavor: "last-resort" });
      trimHeap();
    },
  };
}
