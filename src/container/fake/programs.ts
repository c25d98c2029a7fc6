/** What the fake's containers can run: a few programs with the outward behaviour of busybox's. */
import type { Readable, Writable } from "node:stream";
import type { Clock } from "../../machinery/clock.ts";

export interface FakeProcess {
  readonly argv: readonly string[];
  readonly env: readonly string[];
  /** Ends at once where the container has no stdin. */
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly clock: Clock;
  /** Aborts at the stop signal. As process 1 of its namespace a program that ignores it runs on until it is killed. */
  readonly terminated: AbortSignal;
  /** Aborts when the process is killed; what it then returns is ignored. */
  readonly killed: AbortSignal;
}

/** Resolves with the exit code. */
export type FakeProgram = (process: FakeProcess) => Promise<number>;

export const fakePrograms: Readonly<Record<string, FakeProgram>> = {
  true: () => Promise.resolve(0),
  false: () => Promise.resolve(1),
  echo: ({ argv, stdout }) => {
    stdout.write(`${argv.slice(1).join(" ")}\n`);
    return Promise.resolve(0);
  },
  env: ({ env, stdout }) => {
    stdout.write(env.map((entry) => `${entry}\n`).join(""));
    return Promise.resolve(0);
  },
  cat: async ({ stdin, stdout }) => {
    for await (const chunk of stdin) stdout.write(chunk as Buffer);
    return 0;
  },
  sleep: async ({ argv, clock, killed }) => {
    await clock.sleep(Number(argv[1]) * 1000, killed);
    return 0;
  },
  nginx: ({ killed, terminated }) => untilAborted([killed, terminated]).then(() => 0),
  sh: runShell,
};

/** Understands the lines the tests use: `exit N`, `echo …` (also `>&2`) and `trap 'exit N' TERM`, joined by `;`. */
async function runShell(process: FakeProcess): Promise<number> {
  const [, flag, script = ""] = process.argv;
  if (flag !== "-c") return untilAborted([process.killed]).then(() => 0);
  let onTerminate: number | undefined;
  for (const line of script.split(";").map((part) => part.trim())) {
    const exit = /^exit (\d+)$/.exec(line);
    if (exit) return Number(exit[1]);
    const trap = /^trap 'exit (\d+)' TERM$/.exec(line);
    if (trap) onTerminate = Number(trap[1]);
    const echo = /^echo (.*?)( >&2)?$/.exec(line);
    if (echo) (echo[2] === undefined ? process.stdout : process.stderr).write(`${echo[1]}\n`);
    if (line.startsWith("while")) {
      await untilAborted(onTerminate === undefined ? [process.killed] : [process.killed, process.terminated]);
      return onTerminate ?? 0;
    }
  }
  return 0;
}

function untilAborted(signals: readonly AbortSignal[]): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of signals) {
      if (signal.aborted) resolve();
      signal.addEventListener("abort", () => resolve(), { once: true });
    }
  });
}
