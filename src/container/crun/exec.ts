/** Processes run inside a container, by `crun exec`: with pipes, or with a terminal of the container's own. */
import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, watch, writeFileSync } from "node:fs";
import { Socket } from "node:net";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { ReadStream } from "node:tty";
import type { OciProcess } from "../bundle/oci-config.ts";
import { ContainerError } from "../errors.ts";
import type { Session } from "../runtime.ts";
import { acceptUnix, listenUnix, makePipe, receiveFileDescriptor, setTerminalSize } from "./system-calls.ts";
import { crunArguments, toolEnvironment, translateCrunError, type CrunTools } from "./tools.ts";

/** Exit code of crun's own failures; a program may return it too: then crun's error file is empty. */
const crunFailure = 255;

export interface ExecTarget {
  readonly tools: CrunTools;
  readonly id: string;
  readonly process: OciProcess;
  /** For the files of the call: process, number, errors. */
  readonly folder: string;
}

interface Call {
  /** Resolves when the program runs, or has already ended; rejects with crun's reason where it could not be started. */
  readonly started: Promise<void>;
  readonly exit: Promise<number>;
  kill(): void;
}

/** Resolves once the program runs. Throws `ContainerError` with crun's words where it cannot. */
export async function execWithPipes(target: ExecTarget, options: { readonly hasStdin: boolean }): Promise<Session> {
  const stdin = options.hasStdin ? makePipe() : undefined;
  const [stdout, stderr] = [makePipe(), makePipe()];
  const theirs = [stdin?.readEnd, stdout.writeEnd, stderr.writeEnd];
  const call = crunExec(target, [], [stdin?.readEnd ?? "ignore", stdout.writeEnd, stderr.writeEnd]);
  for (const fd of theirs) if (fd !== undefined) closeSync(fd);
  const streams = {
    stdin: stdin && new Socket({ fd: stdin.writeEnd, readable: false, writable: true }),
    stdout: new Socket({ fd: stdout.readEnd, readable: true, writable: false }),
    stderr: new Socket({ fd: stderr.readEnd, readable: true, writable: false }),
  };
  // The program may close its stdin while we write: not our failure.
  streams.stdin?.on("error", () => undefined);
  const endStdin = (): void => void streams.stdin?.destroy();
  call.exit.then(endStdin, endStdin);
  try {
    await call.started;
  } catch (error) {
    for (const stream of [streams.stdin, streams.stdout, streams.stderr]) stream?.destroy();
    throw error;
  }
  return {
    ...streams,
    resize: () => undefined,
    exit: call.exit,
    close() {
      call.kill();
      for (const stream of [streams.stdin, streams.stdout, streams.stderr]) stream?.destroy();
    },
  };
}

/**
 * Runs to the end without stdin; `output` is both streams, cut at `longestOutput` bytes. `expired` aborts: the program
 * is killed and the result is its end.
 */
export async function execToEnd(
  target: ExecTarget,
  options: { readonly longestOutput: number; readonly expired: AbortSignal },
): Promise<{ readonly exitCode: number; readonly output: string }> {
  const { longestOutput, expired } = options;
  const pipe = makePipe();
  const call = crunExec(target, [], ["ignore", pipe.writeEnd, pipe.writeEnd]);
  closeSync(pipe.writeEnd);
  const output = new Socket({ fd: pipe.readEnd, readable: true, writable: false });
  const chunks: Buffer[] = [];
  let length = 0;
  output.on("data", (chunk: Buffer) => {
    if (length < longestOutput) chunks.push(chunk.subarray(0, longestOutput - length));
    length += chunk.length;
  });
  const closed = new Promise((resolve) => output.once("close", resolve));
  const kill = (): void => {
    call.kill();
    output.destroy();
  };
  expired.addEventListener("abort", kill, { once: true });
  try {
    call.started.catch(() => undefined);
    const exitCode = await call.exit;
    // A program may leave a child behind that holds the pipe: its words are not waited for.
    await Promise.race([closed, new Promise((resolve) => setImmediate(resolve))]);
    return { exitCode, output: Buffer.concat(chunks).toString() };
  } finally {
    expired.removeEventListener("abort", kill);
    output.destroy();
  }
}

/** crun makes the terminal within the container and passes its other side through a socket. */
export async function execWithTerminal(target: ExecTarget): Promise<Session> {
  const socketFolder = mkdtempSync(join(target.folder, "tty-"));
  const folderFd = openSync(socketFolder, "r");
  try {
    const listener = listenUnix(`/proc/self/fd/${folderFd}/s`);
    let terminalFd: number;
    const call = crunExec(target, [`--console-socket=${join(socketFolder, "s")}`], ["ignore", "ignore", "ignore"]);
    try {
      await call.started;
      const connection = acceptUnix(listener);
      if (connection === undefined)
        throw new ContainerError("RunContainerError", "Cannot start the terminal: crun passed none");
      terminalFd = receiveFileDescriptor(connection);
      closeSync(connection);
    } finally {
      closeSync(listener);
    }
    const terminal = new ReadStream(terminalFd);
    return { ...terminalSession(terminal, terminalFd, call.exit), close: () => (call.kill(), void terminal.destroy()) };
  } finally {
    closeSync(folderFd);
    rmSync(socketFolder, { recursive: true, force: true });
  }
}

/** Reading the master fails with EIO once the last process has closed the slave: that is the end of the stream. */
function terminalSession(terminal: ReadStream, fd: number, exit: Promise<number>): Omit<Session, "close"> {
  const stdout = new PassThrough();
  terminal.on("data", (chunk: Buffer) => {
    if (!stdout.write(chunk)) {
      terminal.pause();
      stdout.once("drain", () => terminal.resume());
    }
  });
  const end = (): void => void (stdout.writableEnded || stdout.end());
  terminal.on("error", end).on("end", end).on("close", end);
  return {
    stdin: terminal,
    stdout,
    stderr: undefined,
    resize: (size) => {
      if (!terminal.destroyed) setTerminalSize(fd, size);
    },
    exit,
  };
}

function crunExec(
  { tools, id, process: ociProcess, folder }: ExecTarget,
  extra: readonly string[],
  stdio: readonly (number | "ignore")[],
): Call {
  const files = mkdtempSync(join(folder, "exec-"));
  const paths = { process: join(files, "process.json"), pid: join(files, "pid"), log: join(files, "log") };
  writeFileSync(paths.process, JSON.stringify(ociProcess));
  const started = Promise.withResolvers<void>();
  // crun writes the number only once the program runs.
  const pidOf = (): number => Number.parseInt(readOptional(paths.pid), 10);
  const watcher = watch(files, () => {
    if (pidOf() > 0) started.resolve();
  });
  const args = [`--log=${paths.log}`, "exec", `--process=${paths.process}`, `--pid-file=${paths.pid}`, ...extra, id];
  const child = spawn(tools.crun.path, [...crunArguments(tools), ...args], {
    stdio: [...stdio],
    env: toolEnvironment(tools.crun),
  });
  raiseOomScore(child.pid, ociProcess.oomScoreAdj);
  const exit = new Promise<number>((resolve, reject) => {
    child.once("error", (error) => {
      watcher.close();
      reject(error);
    });
    child.once("exit", (code, signal) => {
      watcher.close();
      const error = code === crunFailure || signal !== null ? readOptional(paths.log) : "";
      rmSync(files, { recursive: true, force: true });
      if (error !== "") reject(new ContainerError("RunContainerError", translateCrunError("exec", error)));
      else resolve(code ?? 128 + 9);
    });
  });
  exit.then(() => started.resolve(), started.reject);
  return {
    started: started.promise,
    exit,
    kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const pid = pidOf();
      if (pid > 0) process.kill(pid, "SIGKILL");
      else child.kill("SIGKILL");
    },
  };
}

/** crun 1.8 sets the score of a container's first process only; what crun itself has, its children inherit. */
function raiseOomScore(pid: number | undefined, score: number | undefined): void {
  if (pid === undefined || score === undefined) return;
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, `${score}`);
  } catch {
    // It has ended already, and says why; or the kernel refuses, and the program is killed later than others would be.
  }
}

function readOptional(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
