/** Keeps a child process running: starts it, restarts it when it ends, stops it with us. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { backoffDelayMs } from "../backoff.ts";
import type { Backoff } from "../backoff.ts";
import type { Clock } from "../clock.ts";
import type { Component } from "../component.ts";
import type { Logger } from "../log.ts";
import { keepLogShort, openLogFile } from "./log-file.ts";
import type { LogFile } from "./log-file.ts";

export interface ProcessExit {
  readonly pid: number | undefined;
  /** Null where a signal ended it, or where it could not be started. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly uptimeMs: number;
  /** Why it could not be started. */
  readonly error?: Error;
}

export interface SuperviseProcessOptions {
  /** "server", "agent-1". */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Absolute. Gets stdout and stderr; `<logFile>.1` keeps what was before. */
  readonly logFile: string;
  /** 16 MiB where absent. */
  readonly maxLogBytes?: number;
  /** Waits between restarts. What ran longer than `maxMs` is started again at once, and its waits begin anew. */
  readonly backoff?: Backoff;
  /** From SIGTERM to SIGKILL. 5 seconds where absent. */
  readonly stopTimeoutMs?: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** When the first start serves: resolves `ready`. Where absent, a started process counts as ready. */
  waitUntilReady?(signal: AbortSignal): Promise<void>;
  onStart?(pid: number): void;
  /** Called for each end. Returning "stop" gives up: `run` then rejects with `ProcessEndedError`. */
  onExit?(exit: ProcessExit): "restart" | "stop" | void;
}

export interface SupervisedProcess extends Component {
  /** Of the process that runs now. */
  readonly pid: number | undefined;
}

class ProcessEndedError extends Error {
  readonly code = "ProcessEnded";
  readonly exit: ProcessExit;

  constructor(name: string, { exit, logFile }: { readonly exit: ProcessExit; readonly logFile: string }) {
    const how = exit.error?.message ?? (exit.signal === null ? `exit code ${exit.exitCode}` : exit.signal);
    super(`Cannot keep ${name} running: it ended with ${how}, see ${logFile}`, { cause: exit.error });
    this.exit = exit;
  }
}

const defaultBackoff: Backoff = { firstMs: 100, maxMs: 10_000, factor: 2, jitter: 0.1 };

/** `run` resolves when the signal has aborted and the process has ended. */
export function superviseProcess(options: SuperviseProcessOptions): SupervisedProcess {
  return new Supervisor(options);
}

class Supervisor implements SupervisedProcess {
  readonly name: string;
  readonly ready: Promise<void>;
  readonly #options: SuperviseProcessOptions;
  readonly #settled = Promise.withResolvers<void>();
  #child: ChildProcess | undefined;

  constructor(options: SuperviseProcessOptions) {
    this.name = options.name;
    this.#options = options;
    this.ready = this.#settled.promise;
    this.ready.catch(() => undefined);
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, log, logFile, maxLogBytes } = this.#options;
    const file = openLogFile(logFile, maxLogBytes === undefined ? {} : { maxBytes: maxLogBytes });
    const done = new AbortController();
    const rotation = keepLogShort(file, { path: logFile, clock, log, signal: done.signal });
    const readiness = this.#watchReadiness(AbortSignal.any([signal, done.signal]));
    try {
      await this.#keepRunning(file, signal);
    } catch (error) {
      this.#settled.reject(error);
      throw error;
    } finally {
      done.abort();
      await Promise.all([rotation, readiness]);
      this.#settled.reject(new Error(`Cannot wait for ${this.name}: it was stopped before it was ready`));
      file.close();
    }
  }

  async #keepRunning(file: LogFile, signal: AbortSignal): Promise<void> {
    const { backoff = defaultBackoff, clock, log, logFile, name } = this.#options;
    for (let restarts = 0; !signal.aborted;) {
      const exit = await this.#runOnce(file, signal);
      if (signal.aborted) return;
      if (this.#options.onExit?.(exit) === "stop") throw new ProcessEndedError(name, { exit, logFile });
      const isSettled = exit.uptimeMs > backoff.maxMs;
      const delayMs = isSettled ? 0 : backoffDelayMs(backoff, restarts);
      restarts = isSettled ? 0 : restarts + 1;
      log.warn("a process ended, starting it again", { process: name, ...exit, delayMs: Math.round(delayMs), logFile });
      if (delayMs === 0) continue;
      try {
        await clock.sleep(delayMs, signal);
      } catch {
        return;
      }
    }
  }

  async #runOnce(file: LogFile, signal: AbortSignal): Promise<ProcessExit> {
    const { args, clock, command, cwd, env, stopTimeoutMs = 5000 } = this.#options;
    const startedAt = clock.now();
    const child = spawn(command, args, {
      env,
      stdio: ["ignore", file.fd, file.fd],
      ...(cwd === undefined ? {} : { cwd }),
    });
    this.#child = child;
    const ended = endOf(child);
    const done = new AbortController();
    const stop = (): void => void terminate(child, { clock, timeoutMs: stopTimeoutMs, ended: done.signal });
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    if (child.pid !== undefined) this.#started(child.pid);
    const exit = await ended;
    done.abort();
    signal.removeEventListener("abort", stop);
    this.#child = undefined;
    return { pid: child.pid, ...exit, uptimeMs: clock.now() - startedAt };
  }

  #started(pid: number): void {
    this.#options.onStart?.(pid);
    if (this.#options.waitUntilReady === undefined) this.#settled.resolve();
  }

  async #watchReadiness(signal: AbortSignal): Promise<void> {
    try {
      await this.#options.waitUntilReady?.(signal);
      if (this.#options.waitUntilReady !== undefined) this.#settled.resolve();
    } catch (error) {
      this.#settled.reject(error);
    }
  }
}

function endOf(child: ChildProcess): Promise<Pick<ProcessExit, "exitCode" | "signal" | "error">> {
  return new Promise((resolve) => {
    child.on("error", (error) => {
      // Also emitted where a signal could not be sent; only a process that never started has no pid.
      if (child.pid === undefined) resolve({ exitCode: null, signal: null, error });
    });
    child.on("exit", (exitCode, signal) => resolve({ exitCode, signal }));
  });
}

async function terminate(
  child: ChildProcess,
  { clock, timeoutMs, ended }: { readonly clock: Clock; readonly timeoutMs: number; readonly ended: AbortSignal },
): Promise<void> {
  child.kill("SIGTERM");
  try {
    await clock.sleep(timeoutMs, ended);
  } catch {
    return;
  }
  child.kill("SIGKILL");
}
