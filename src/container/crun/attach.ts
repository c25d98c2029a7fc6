/**
 * A client of conmon's attach socket. Each packet from conmon starts with a byte that names its stream (2 stdout,
 * 3 stderr); packets to it are the container's stdin, and ending our side closes that. The terminal's size goes through
 * the FIFO `ctl`: "1 <rows> <columns>\n".
 */
import { closeSync, constants, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import type { Session } from "../runtime.ts";
import type { Interest, Readiness } from "./readiness.ts";
import { connectUnix, endSending, receivePacket, sendPacket } from "./system-calls.ts";

const stderrByte = 3;
/** conmon's own buffers: 8 KiB and the stream's byte; it reads up to 8 KiB of stdin at once. */
const largestPacket = 8193;
const largestInput = 8192;

export function attachToMonitor(
  folder: string,
  options: {
    readonly readiness: Readiness;
    readonly hasStdin: boolean;
    readonly hasTerminal: boolean;
  },
): Session {
  const { readiness, hasStdin, hasTerminal } = options;
  const fd = connectAt(folder);
  const stdout = new PassThrough();
  const stderr = hasTerminal ? undefined : new PassThrough();
  const ended = Promise.withResolvers<number>();
  const buffer = Buffer.alloc(largestPacket);
  let pending: { bytes: Buffer; readonly done: (error?: Error) => void } | undefined;
  let isOpen = true;

  const interest: Interest = { fd, wantsRead: true, wantsWrite: false, onReady };
  const close = (): void => {
    if (!isOpen) return;
    isOpen = false;
    interest.wantsRead = false;
    readiness.remove(interest);
    closeSync(fd);
    pending?.done();
    pending = undefined;
    stdout.end();
    stderr?.end();
    ended.resolve(0);
  };

  function onReady(): void {
    try {
      sendPending();
      receiveAll();
    } catch {
      // The container or conmon is gone: for an attached client that is the end of the streams.
      close();
    }
  }
  function receiveAll(): void {
    while (interest.wantsRead) {
      const packet = receivePacket(fd, buffer);
      if (packet === undefined) return;
      if (packet.length === 0) {
        close();
        return;
      }
      const target = packet[0] === stderrByte ? (stderr ?? stdout) : stdout;
      if (!target.write(Buffer.from(packet.subarray(1)))) waitForReader(target);
    }
  }
  function waitForReader(target: PassThrough): void {
    interest.wantsRead = false;
    target.once("drain", () => {
      interest.wantsRead = isOpen;
      readiness.changed();
    });
  }
  function sendPending(): void {
    while (pending !== undefined) {
      const sent = sendPacket(fd, pending.bytes.subarray(0, largestInput));
      if (sent === undefined) break;
      pending.bytes = pending.bytes.subarray(sent);
      if (pending.bytes.length > 0) continue;
      const { done } = pending;
      pending = undefined;
      done();
    }
    const wantsWrite = pending !== undefined;
    if (isOpen && wantsWrite !== interest.wantsWrite) {
      interest.wantsWrite = wantsWrite;
      readiness.changed();
    }
  }

  const stdin = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (!isOpen || chunk.length === 0) return done();
      pending = { bytes: chunk, done };
      try {
        sendPending();
      } catch {
        close();
      }
    },
    final(done) {
      if (isOpen) endSending(fd);
      done();
    },
  });

  readiness.add(interest);
  return {
    stdin: hasStdin ? stdin : undefined,
    stdout,
    stderr,
    resize: (size) => writeControl(folder, `1 ${size.rows} ${size.columns}\n`),
    exit: ended.promise,
    close,
  };
}

/** The container's folder may be deeper than a socket's address can say. */
function connectAt(folder: string): number {
  const folderFd = openSync(folder, "r");
  try {
    return connectUnix(`/proc/self/fd/${folderFd}/attach`, "sequenced-packets");
  } finally {
    closeSync(folderFd);
  }
}

/** The monitor opens its log by its path again. */
export function reopenLogs(folder: string): void {
  writeControl(folder, "2 0 0\n");
}

/** Non-blocking: where conmon has ended, nobody reads, and there is nothing to resize. */
function writeControl(folder: string, line: string): void {
  let fd: number;
  try {
    fd = openSync(join(folder, "ctl"), constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (["ENXIO", "ENOENT"].includes((error as NodeJS.ErrnoException).code ?? "")) return;
    throw error;
  }
  try {
    writeSync(fd, line);
  } finally {
    closeSync(fd);
  }
}
