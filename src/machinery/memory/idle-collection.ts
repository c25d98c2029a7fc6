/**
 * Gives memory back when a process has come to rest. V8 collects when it allocates: what a burst of work leaves behind
 * would stay resident for as long as nothing happens, which for a cluster that is left running is most of the time.
 */
import type { Clock } from "../clock.ts";
import type { Component } from "../component.ts";

/** What the process uses, and how to make that less. */
export interface ProcessMemory {
  /** Resident bytes. */
  residentBytes(): number;
  /** The share of the time since the last call in which the event loop was busy, 0 to 1. */
  busyShare(): number;
  /** Collects all garbage and returns free pages to the system; the thread stands still meanwhile. */
  collect(): void;
}

const checkMs = 5000;
/** At rest: so little to do in two checks after each other. A collection stops the thread for some tens of milliseconds. */
const restingShare = 0.05;
const restingChecks = 2;
/** A collection that could free less is not worth it. */
const worthwhileBytes = 12 * 1024 * 1024;

export function createIdleCollection({
  memory,
  clock,
}: {
  readonly memory: ProcessMemory;
  readonly clock: Clock;
}): Component {
  return {
    name: "idle collection",
    ready: Promise.resolve(),
    run: async (signal) => {
      let resting = 0;
      // After the start there is something to collect: loaded sources, what was read once.
      let floorBytes = 0;
      while (!signal.aborted) {
        try {
          await clock.sleep(checkMs, signal);
        } catch {
          return;
        }
        resting = memory.busyShare() < restingShare ? resting + 1 : 0;
        if (resting < restingChecks || memory.residentBytes() < floorBytes + worthwhileBytes) continue;
        memory.collect();
        floorBytes = memory.residentBytes();
        // The collection itself was work.
        memory.busyShare();
      }
    },
  };
}
