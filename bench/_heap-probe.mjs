/**
 * Loaded into the processes of a benchmarked cluster (`NODE_OPTIONS=--import`): on SIGUSR2 each isolate of the server and
 * the agents collects all garbage and writes what lives, in bytes, to a file in `NETLOOM_HEAP_PROBE` named after its process
 * and its thread: `10-0`.
 */
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { getHeapStatistics } from "node:v8";
import { BroadcastChannel, isMainThread, threadId } from "node:worker_threads";

const folder = process.env.NETLOOM_HEAP_PROBE;
const isResident = !isMainThread || ["server", "agent"].includes(process.argv[2] ?? "");
if (folder !== undefined && isResident) {
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
  globalThis.gc?.();
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics();
  const path = join(folder, `${process.pid}-${threadId}`);
  // Whoever reads finds all of it or nothing.
  writeFileSync(`${path}.new`, String(heap + external));
  renameSync(`${path}.new`, path);
}
