/**
 * A container runtime without containers, for the tests of what stands above: programs are functions, ids and exit
 * codes behave as the real one's (they pass one contract suite), time is the given clock's.
 */
import { appendFileSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { PassThrough } from "node:stream";
import type { Clock } from "../../machinery/clock.ts";
import { ContainerError, ExecTimeoutError, startErrorExitCode } from "../errors.ts";
import type { ContainerRuntime, ContainerSpec, ContainerStatus, ExecOptions, Session } from "../runtime.ts";
import { createFakeImages } from "./images.ts";
import { fakePrograms, type FakeProgram } from "./programs.ts";
import { runFake, type RunningFake } from "./process.ts";

const sigkill = 9;
const longestOutput = 10 * 1024;

interface FakeContainer {
  readonly spec: ContainerSpec;
  status: ContainerStatus;
  readonly process: RunningFake | undefined;
  readonly watchers: Set<(stream: "stdout" | "stderr", chunk: Buffer) => void>;
}

export interface FakeContainerRuntime extends ContainerRuntime {
  /** Ends a container as if its process had exited with `exitCode`. */
  endContainer(id: string, exitCode: number): void;
  /** The specs of all containers ever started, in order. */
  readonly started: readonly ContainerSpec[];
}

/** `programs` are added to busybox's few; logs are written to the containers' log paths. */
export function createFakeContainerRuntime(options: {
  readonly clock: Clock;
  readonly programs?: Readonly<Record<string, FakeProgram>>;
}): FakeContainerRuntime {
  const { clock } = options;
  const programs: Readonly<Record<string, FakeProgram>> = { ...fakePrograms, ...options.programs };
  const containers = new Map<string, FakeContainer>();
  const exitCallbacks: ((status: ContainerStatus) => void)[] = [];
  const started: ContainerSpec[] = [];
  let nextPid = 1000;

  const find = (id: string): FakeContainer => {
    const container = containers.get(id);
    if (container === undefined) throw new ContainerError("RunContainerError", `Cannot find container "${id}"`);
    return container;
  };
  const findRunning = (id: string): FakeContainer & { process: RunningFake } => {
    const container = find(id);
    const { process, status } = container;
    if (process === undefined || status.state.type !== "running") {
      throw new ContainerError("RunContainerError", `Cannot use container "${id}": it is not running`);
    }
    return { ...container, process };
  };
  const programOf = (argv: readonly string[]): FakeProgram => {
    const name = argv[0]?.split("/").at(-1) ?? "";
    const program = programs[name];
    if (program === undefined) {
      throw new ContainerError(
        "RunContainerError",
        `exec: ${JSON.stringify(argv[0] ?? "")}: executable file not found in $PATH`,
      );
    }
    return program;
  };

  function start(spec: ContainerSpec): ContainerStatus {
    started.push(spec);
    const base = {
      id: spec.id,
      pod: spec.pod,
      name: spec.name,
      attempt: spec.attempt,
      image: { id: spec.image.id, name: spec.image.name, repoDigest: spec.image.repoDigest },
      logPath: spec.logPath,
    };
    const startedAtMs = clock.now();
    const watchers: FakeContainer["watchers"] = new Set();
    mkdirSync(dirname(spec.logPath), { recursive: true });
    appendFileSync(spec.logPath, "");
    let process: RunningFake;
    try {
      process = runFake(programOf(spec.argv), {
        argv: spec.argv,
        env: [...spec.image.env, ...spec.env],
        clock,
        hasStdin: spec.hasStdin,
        onOutput: (stream, chunk) => {
          appendFileSync(spec.logPath, logLines(clock.now(), stream, chunk));
          for (const watcher of watchers) watcher(stream, chunk);
        },
      });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const state = exited({ startedAtMs: 0, finishedAtMs: startedAtMs, exitCode: startErrorExitCode, message });
      containers.set(spec.id, { spec, status: { ...base, state }, process: undefined, watchers });
      throw error;
    }
    const status: ContainerStatus = { ...base, state: { type: "running", pid: nextPid++, startedAtMs } };
    const container: FakeContainer = { spec, status, process, watchers };
    containers.set(spec.id, container);
    void noticeEnd(container, process, startedAtMs);
    return status;
  }

  async function noticeEnd(container: FakeContainer, process: RunningFake, startedAtMs: number): Promise<void> {
    const exitCode = await process.exit;
    const state = exited({ startedAtMs, finishedAtMs: clock.now(), exitCode, message: "" });
    container.status = { ...container.status, state };
    for (const callback of exitCallbacks) callback(container.status);
  }

  function exec(id: string, { command, hasStdin, hasTerminal }: ExecOptions): Session {
    const container = findRunning(id);
    const stdout = new PassThrough();
    const stderr = hasTerminal ? undefined : new PassThrough();
    const process = runFake(programOf(command), {
      argv: command,
      env: [...container.spec.image.env, ...container.spec.env],
      clock,
      hasStdin,
      onOutput: (stream, chunk) => void (stream === "stderr" ? (stderr ?? stdout) : stdout).write(chunk),
    });
    const end = (): void => {
      stdout.end();
      stderr?.end();
    };
    void process.exit.finally(end);
    return {
      stdin: hasStdin ? process.stdin : undefined,
      stdout,
      stderr,
      resize: () => undefined,
      exit: process.exit,
      close: () => process.kill(sigkill),
    };
  }

  function remove(id: string): boolean {
    if (containers.get(id)?.status.state.type === "running") {
      throw new ContainerError("RunContainerError", `Cannot remove container "${id}": it is running, stop it first`);
    }
    return containers.delete(id);
  }

  function attach(id: string): Session {
    const { process, spec, watchers } = findRunning(id);
    const stdout = new PassThrough();
    const stderr = spec.hasTerminal ? undefined : new PassThrough();
    const stdin = spec.hasStdin ? new PassThrough() : undefined;
    stdin?.pipe(process.stdin, { end: spec.stdinOnce });
    const watcher = (stream: "stdout" | "stderr", chunk: Buffer): void =>
      void (stream === "stderr" ? (stderr ?? stdout) : stdout).write(chunk);
    watchers.add(watcher);
    const closed = Promise.withResolvers<void>();
    const exit = Promise.race([process.exit, closed.promise]).then(() => {
      watchers.delete(watcher);
      stdout.end();
      stderr?.end();
      return 0;
    });
    return { stdin, stdout, stderr, resize: () => undefined, exit, close: () => closed.resolve() };
  }

  async function execSync(
    id: string,
    { command, timeoutMs }: { readonly command: readonly string[]; readonly timeoutMs: number },
  ): Promise<{ readonly exitCode: number; readonly output: string }> {
    const session = exec(id, { command, hasStdin: false, hasTerminal: true });
    let output = "";
    session.stdout.on("data", (chunk: Buffer) => (output = (output + chunk.toString()).slice(0, longestOutput)));
    const timer = new AbortController();
    const timeout = clock.sleep(timeoutMs, timer.signal).then(() => {
      session.close();
      throw new ExecTimeoutError(command, timeoutMs);
    });
    timeout.catch(() => undefined);
    const exitCode = await Promise.race([session.exit, timeout]);
    timer.abort(new Error("finished"));
    return { exitCode, output };
  }

  async function stop(id: string, { graceMs }: { readonly graceMs: number }): Promise<ContainerStatus> {
    const container = find(id);
    const { process } = container;
    if (process === undefined || container.status.state.type === "exited") return container.status;
    const timer = new AbortController();
    if (graceMs > 0) process.terminate();
    const grace = graceMs > 0 ? clock.sleep(graceMs, timer.signal) : Promise.resolve();
    grace.then(
      () => process.kill(sigkill),
      () => undefined,
    );
    await process.exit;
    timer.abort(new Error("ended"));
    return container.status;
  }

  return {
    images: createFakeImages(),
    started,
    start: (spec) => Promise.resolve().then(() => start(spec)),
    version: () => Promise.resolve("fake://1"),
    list: () => Promise.resolve([...containers.values()].map(({ status }) => status)),
    onExit: (callback) => void exitCallbacks.push(callback),
    close: () => void (exitCallbacks.length = 0),
    stop,
    remove: async (id) => void remove(id),
    exec: (id, execOptions) => Promise.resolve().then(() => exec(id, execOptions)),
    execSync,
    attach: (id) => Promise.resolve().then(() => attach(id)),
    // It opens the log for each write.
    reopenLog: () => undefined,
    endContainer: (id, exitCode) => findRunning(id).process.end(exitCode),
  };
}

function exited(end: {
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
  readonly exitCode: number;
  readonly message: string;
}): ContainerStatus["state"] {
  return { type: "exited", signal: 0, isOutOfMemory: false, ...end };
}

/** Kubernetes' log format; a chunk that ends without a newline is a partial line ("P"). */
function logLines(nowMs: number, stream: string, chunk: Buffer): string {
  const time = new Date(nowMs).toISOString();
  const lines = chunk.toString().split("\n");
  const rest = lines.pop() ?? "";
  const full = lines.map((line) => `${time} ${stream} F ${line}\n`).join("");
  return rest === "" ? full : `${full}${time} ${stream} P ${rest}\n`;
}
