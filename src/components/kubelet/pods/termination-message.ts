/** The last words of a container: what it wrote to its termination log, or the end of its output. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { parseLogLine } from "../logs/log-line.ts";
import type { AnyContainer } from "./find-container.ts";

const longestMessage = 4096;
/** Of the log, with policy FallbackToLogsOnError: 2048 bytes or 80 lines. */
const longestLogTail = 2048;
const mostLogLines = 80;

export function terminationMessage(
  container: AnyContainer,
  files: { readonly terminationLog: string; readonly log: string; readonly exitCode: number },
): string {
  const message = readTail(files.terminationLog, longestMessage);
  if (message !== "") return message;
  if (container.terminationMessagePolicy !== "FallbackToLogsOnError" || files.exitCode === 0) return "";
  // Each line of the log carries about 40 bytes of time and stream.
  const lines = readTail(files.log, longestLogTail * 4)
    .split("\n")
    .filter((line) => line !== "");
  // The first may be cut; what was cut is no line of a log.
  const records = lines.slice(-mostLogLines).map((line) => parseLogLine(Buffer.from(line))?.text ?? Buffer.alloc(0));
  return Buffer.concat(records).subarray(-longestLogTail).toString("utf8");
}

function readTail(path: string, bytes: number): string {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch {
    return "";
  }
  try {
    const { size } = fstatSync(fd);
    const buffer = Buffer.alloc(Math.min(bytes, size));
    readSync(fd, buffer, 0, buffer.length, Math.max(0, size - buffer.length));
    return buffer.toString("utf8");
  } finally {
    closeSync(fd);
  }
}
