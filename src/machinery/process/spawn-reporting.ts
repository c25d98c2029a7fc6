/** Programs that say on a descriptor of their own how their start went. */
import { Socket } from "node:net";
import type { Readable } from "node:stream";
import { closeSocket, openPipeEnds, spawnChild, type SpawnRequest, waitForChild } from "../libc/index.ts";

/**
 * Starts a program with a pipe as its descriptor `reportFd`, and returns what it writes there. Cheap, however large this
 * process is. Throws `SystemCallError` where the program cannot be started. Nobody need wait for its end.
 */
export function spawnReporting(request: SpawnRequest & { readonly reportFd: number }): Readable {
  const pipe = openPipeEnds();
  try {
    const descriptors = new Map([...request.descriptors, [request.reportFd, pipe.write]]);
    const pid = spawnChild({ ...request, descriptors });
    unwaited.add(pid);
    waitForEnded();
    return new Socket({ fd: pipe.read, readable: true, writable: false });
  } catch (error) {
    closeSocket(pipe.read);
    throw error;
  } finally {
    closeSocket(pipe.write);
  }
}

/** Children of this process, which is one for all. */
const unwaited = new Set<number>();

/** Node waits for the children that it started itself, and for no others. */
function waitForEnded(): void {
  for (const pid of unwaited) if (waitForChild(pid)) unwaited.delete(pid);
  const isListening = process.listeners("SIGCHLD").includes(waitForEnded);
  if (unwaited.size === 0) process.removeListener("SIGCHLD", waitForEnded);
  else if (!isListening) process.on("SIGCHLD", waitForEnded);
}
