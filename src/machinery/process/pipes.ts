/** Pipes of other processes, opened anew at their reading end. */
import { closeSync, constants, fstatSync, openSync, readdirSync, readlinkSync } from "node:fs";

/** Does not block on reading. Undefined where there is none, or no pipe, or not ours to open. */
export function openPipe(path: string): number | undefined {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  if (fstatSync(fd).isFIFO()) return fd;
  closeSync(fd);
  return undefined;
}

/** The pipe with this inode number, through the first of the processes that has either end of it open. */
export function findPipe(inode: number, pids: readonly number[]): number | undefined {
  for (const pid of pids) {
    const fd = openPipeOf(pid, inode);
    if (fd !== undefined) return fd;
  }
  return undefined;
}

function openPipeOf(pid: number, inode: number): number | undefined {
  const folder = `/proc/${pid}/fd`;
  const path = filesIn(folder)
    .map((fd) => `${folder}/${fd}`)
    .find((file) => targetOf(file) === `pipe:[${inode}]`);
  return path === undefined ? undefined : openPipe(path);
}

/** None of a process that has ended. */
function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** "" of one that was closed meanwhile. */
function targetOf(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return "";
  }
}
