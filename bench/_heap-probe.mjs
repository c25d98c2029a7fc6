/**
 * Loaded into the processes of a benchmarked cluster (`NODE_OPTIONS=--import`): each isolate of the server and the agents notes
 * what it held after its last full collection. On SIGUSR2 it writes that, in bytes, to a file in `NETLOOM_HEAP_PROBE` named
 * after its process and its thread: `10-0`. Only one that has never collected is made to: a forced collection ends the garbage
 * that the benchmark is to show.
 */
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { constants, PerformanceObserver } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";
import { BroadcastChannel, isMainThread, threadId } from "node:worker_threads";

const folder = process.env.NETLOOM_HEAP_PROBE;
const isResident = !isMainThread || ["server", "agent"].includes(process.argv[2] ?? "");
let live;
if (folder !== undefined && isResident) {
  new PerformanceObserver((list) => {
    const isFull = ({ detail }) => detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR;
    if (list.getEntries().some(isFull)) live = bytesHeld();
  }).observe({ entryTypes: ["gc"] });
  const channel = new BroadcastChannel("heap-probe");
  channel.unref();
  channel.addEventListener("message", report);
  if (isMainThread) {
    process.on("SIGUSR2", () => {
      channel.postMessage("report");
      report();
    });
  }
}

function report() {
  if (live === undefined) {
    globalThis.gc?.();
    live = bytesHeld();
  }
  const path = join(folder, `${process.pid}-${threadId}`);
  // Whoever reads finds all of it or nothing.
  writeFileSync(`${path}.new`, String(live));
  renameSync(`${path}.new`, path);
}

function bytesHeld() {
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics();
  return heap + external;
}
