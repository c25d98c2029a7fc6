/**
 * Tells when descriptors that Node's event loop does not take (packet sockets) can be read or written. One poll(2) at
 * a time waits in libuv's pool; an event descriptor wakes it when the set changes. Nothing waits while the set is empty.
 */
import { closeSync, readSync, writeSync } from "node:fs";
import { makeEventDescriptor, pollInPool } from "./system-calls.ts";

const readable = 1;
const writable = 4;
/** A pool thread that waits keeps the process from ending: it comes back this often. */
const longestWaitMs = 500;

export interface Interest {
  readonly fd: number;
  wantsWrite: boolean;
  wantsRead: boolean;
  onReady(): void;
}

export interface Readiness {
  add(interest: Interest): void;
  remove(interest: Interest): void;
  /** After `wantsRead` or `wantsWrite` changed. */
  changed(): void;
}

export function createReadiness(): Readiness {
  const interests = new Set<Interest>();
  let wake: number | undefined;

  const changed = (): void => {
    if (wake !== undefined) writeSync(wake, one);
    else if (interests.size > 0) void loop();
  };
  async function loop(): Promise<void> {
    const event = makeEventDescriptor();
    wake = event;
    try {
      while (interests.size > 0) await waitOnce(event, [...interests]);
    } finally {
      wake = undefined;
      closeSync(event);
    }
  }
  async function waitOnce(event: number, waiting: readonly Interest[]): Promise<void> {
    const entries = Buffer.alloc(8 * (waiting.length + 1));
    entries.writeInt32LE(event, 0);
    entries.writeInt16LE(readable, 4);
    waiting.forEach(({ fd, wantsRead, wantsWrite }, index) => {
      const offset = 8 * (index + 1);
      entries.writeInt32LE(wantsRead || wantsWrite ? fd : -1, offset);
      entries.writeInt16LE((wantsRead ? readable : 0) | (wantsWrite ? writable : 0), offset + 4);
    });
    await pollInPool(entries, longestWaitMs);
    if (entries.readInt16LE(6) !== 0) readSync(event, Buffer.alloc(8));
    waiting.forEach((interest, index) => {
      const isReady = entries.readInt16LE(8 * (index + 1) + 6) !== 0;
      if (isReady && interests.has(interest)) interest.onReady();
    });
  }

  return {
    add(interest) {
      interests.add(interest);
      changed();
    },
    remove(interest) {
      interests.delete(interest);
      changed();
    },
    changed,
  };
}

const one = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]);
