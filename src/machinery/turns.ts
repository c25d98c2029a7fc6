/**
 * Lets much of the same kind be done without keeping everything else waiting: who waits for a turn goes on in a turn of the
 * event loop of its own, so that between two of them sockets are read.
 */
import { setImmediate as nextTurn } from "node:timers/promises";

/** Resolves when it is the caller's turn, in the order of the calls. */
export type Turns = () => Promise<void>;

export function createTurns(): Turns {
  let last: Promise<void> = Promise.resolve();
  return async () => {
    last = last.then(async () => await nextTurn());
    await last;
  };
}
