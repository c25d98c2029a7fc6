/** `crun start` without a process: half of what a pod's start costs on a busy machine is waiting for processes. */
import { closeSync, constants, openSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";
import { ContainerError } from "../errors.ts";
import { runCrun, translateCrunError, type CrunTools } from "./tools.ts";

/**
 * Lets the program of a created container run. Throws `ContainerError` with crun's reason.
 *
 * The container's first process waits for a byte in `exec.fifo` of crun's state folder, open for reading since before it
 * began, and the file's presence is what makes the state "created". `crun start` removes the file, writes the byte and has
 * no hooks to call, as ours has none. Where that is not what is found (another crun, a process that ended), crun itself is
 * asked, and says why.
 */
export async function startCreated(tools: CrunTools, id: string): Promise<void> {
  if (wasReleased(join(tools.stateDir, id, "exec.fifo"))) return;
  const started = await runCrun(tools, ["start", id]);
  if (started.exitCode !== 0)
    throw new ContainerError("RunContainerError", translateCrunError("start", started.stderr));
}

function wasReleased(fifo: string): boolean {
  let fd: number;
  try {
    // Without O_NONBLOCK this would wait for a reader that may never come.
    fd = openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return false;
  }
  try {
    unlinkSync(fifo);
    writeSync(fd, Uint8Array.of(0));
    return true;
  } catch {
    return false;
  } finally {
    closeSync(fd);
  }
}
