/** Runs a program once and returns what it wrote. */
import { spawn } from "node:child_process";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { systemClock } from "../clock.ts";
import type { Clock } from "../clock.ts";

interface RunCommandOptions {
  /** The whole environment; that of this process where absent. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Written to its stdin, which is then closed. */
  readonly input?: string | Buffer;
  /** After it the program is killed. 30 seconds where absent. */
  readonly timeoutMs?: number;
  /** Kills the program. */
  readonly signal?: AbortSignal;
  /** Exit codes that are no error; only 0 where absent. */
  readonly okCodes?: readonly number[];
  /** Keeps the first bytes of each stream, drops the rest. 16 MiB where absent. */
  readonly maxOutputBytes?: number;
  readonly clock?: Clock;
}

interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program that could not be started, ended with another code than expected, was killed, or took too long. */
export class CommandError extends Error {
  readonly code = "CommandFailed";
  readonly command: string;
  /** Undefined where it did not exit by itself. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;

  constructor(
    command: string,
    why: string,
    result: {
      readonly exitCode?: number;
      readonly stdout?: string;
      readonly stderr?: string;
      readonly cause?: unknown;
    },
  ) {
    const detail = result.stderr?.trim() ?? "";
    super(`Cannot run "${command}": ${why}${detail === "" ? "" : `: ${detail}`}`, { cause: result.cause });
    this.command = command;
    this.exitCode = result.exitCode;
    this.stdout = result.stdout ?? "";
    this.stderr = result.stderr ?? "";
  }
}

/** Rejects with `CommandError`. When it settles, the program has ended. */
export async function runCommand(
  command: readonly [string, ...string[]],
  options: RunCommandOptions = {},
): Promise<CommandResult> {
  const { timeoutMs = 30_000, okCodes = [0], maxOutputBytes = 16 * 1024 * 1024, clock = systemClock } = options;
  const text = command.join(" ");
  const child = spawn(command[0], command.slice(1), {
    stdio: "pipe",
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const stdout = collect(child.stdout, maxOutputBytes);
  const stderr = collect(child.stderr, maxOutputBytes);
  // A program may exit without reading its input; its exit code tells, not EPIPE.
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.input);

  const ended = new AbortController();
  let why: string | undefined;
  const kill = (reason: string): void => {
    why ??= reason;
    child.kill("SIGKILL");
  };
  const abort = (): void => kill("it was cancelled");
  if (options.signal?.aborted === true) abort();
  options.signal?.addEventListener("abort", abort, { once: true });
  void killAfter(timeoutMs, { clock, signal: ended.signal, kill: () => kill(`it took longer than ${timeoutMs} ms`) });
  try {
    const { code, signal } = await closeOf(child, text);
    const output = { stdout: stdout(), stderr: stderr() };
    if (why !== undefined) throw new CommandError(text, why, output);
    if (code === null) throw new CommandError(text, `it was ended by ${signal ?? "a signal"}`, output);
    if (!okCodes.includes(code)) {
      throw new CommandError(text, `it ended with exit code ${code}`, { ...output, exitCode: code });
    }
    return { code, ...output };
  } finally {
    ended.abort();
    options.signal?.removeEventListener("abort", abort);
  }
}

function collect(stream: NodeJS.ReadableStream, maxBytes: number): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on("data", (chunk: Buffer) => {
    if (size < maxBytes) chunks.push(chunk.subarray(0, maxBytes - size));
    size += chunk.length;
  });
  return () => Buffer.concat(chunks).toString("utf8");
}

function closeOf(
  child: ChildProcessWithoutNullStreams,
  command: string,
): Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    child.on("error", (cause) => reject(new CommandError(command, cause.message, { cause })));
    child.on("close", (code, signal) => resolve({ code, signal }));
  });
}

async function killAfter(
  ms: number,
  { clock, signal, kill }: { readonly clock: Clock; readonly signal: AbortSignal; readonly kill: () => void },
): Promise<void> {
  try {
    await clock.sleep(ms, signal);
  } catch {
    return;
  }
  kill();
}
