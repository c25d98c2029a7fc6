/**
 * Holds the output of containers open for agents that may be killed. Nobody reads here: what a container says while
 * neither its monitor nor its agent lives waits in the pipe, which is found again through this process.
 */
import { closeSync } from "node:fs";
import type { Clock } from "../../machinery/clock.ts";
import type { ContainerOutput } from "../../machinery/control-socket/index.ts";
import { findPipe } from "../../machinery/process/index.ts";

/** After this an agent that was started again has read what there was. */
const orphanedAfterMs = 60_000;

interface Held {
  readonly output: ContainerOutput;
  readonly fds: readonly number[];
  /** When its process was seen to be gone. */
  goneAtMs: number | undefined;
}

/** Must be closed. */
export class HeldOutputs {
  readonly #clock: Clock;
  readonly #held = new Map<string, Held>();
  #lookedAtMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#lookedAtMs = clock.now();
  }

  /** How many containers' outputs are open. */
  get count(): number {
    return this.#held.size;
  }

  /** Harmless when repeated; without effect where the pipes are gone already. */
  hold(output: ContainerOutput): void {
    this.#dropOrphans();
    if (this.#held.has(output.id)) return;
    const fds = output.pipes.map((inode) => findPipe(inode, output.pids)).filter((fd) => fd !== undefined);
    if (fds.length > 0) this.#held.set(output.id, { output, fds, goneAtMs: undefined });
  }

  /** The container has ended and its agent has read what it said. */
  release(id: string): void {
    for (const fd of this.#held.get(id)?.fds ?? []) closeSync(fd);
    this.#held.delete(id);
  }

  close(): void {
    for (const id of this.#held.keys()) this.release(id);
  }

  /** Of containers that ended while their agent was away for good, with its node. */
  #dropOrphans(): void {
    const now = this.#clock.now();
    if (now - this.#lookedAtMs < orphanedAfterMs) return;
    this.#lookedAtMs = now;
    for (const [id, held] of this.#held) {
      if (held.output.pids.some(isAlive)) held.goneAtMs = undefined;
      else {
        held.goneAtMs ??= now;
        if (now - held.goneAtMs >= orphanedAfterMs) this.release(id);
      }
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
