/** One process of the fake: a program, its streams, its signals, its exit code. */
import { PassThrough, Writable } from "node:stream";
import type { Clock } from "../../machinery/clock.ts";
import type { FakeProgram } from "./programs.ts";

export interface RunningFake {
  readonly stdin: Writable;
  readonly exit: Promise<number>;
  terminate(): void;
  /** Ends it with 128 + `signal`. */
  kill(signal: number): void;
  /** Ends it as if it had exited with `code`. */
  end(code: number): void;
}

export function runFake(
  program: FakeProgram,
  options: {
    readonly argv: readonly string[];
    readonly env: readonly string[];
    readonly clock: Clock;
    readonly hasStdin: boolean;
    readonly onOutput: (stream: "stdout" | "stderr", chunk: Buffer) => void;
  },
): RunningFake {
  const { argv, env, clock, hasStdin, onOutput } = options;
  const stdin = new PassThrough();
  if (!hasStdin) stdin.end();
  const terminated = new AbortController();
  const killed = new AbortController();
  const forced = Promise.withResolvers<number>();
  const end = (code: number): void => {
    forced.resolve(code);
    killed.abort(new Error("killed"));
  };
  const ran = program({
    argv,
    env,
    stdin,
    stdout: sink((chunk) => onOutput("stdout", chunk)),
    stderr: sink((chunk) => onOutput("stderr", chunk)),
    clock,
    terminated: terminated.signal,
    killed: killed.signal,
  });
  ran.catch(() => undefined);
  return {
    stdin,
    exit: Promise.race([forced.promise, ran]),
    terminate: () => terminated.abort(),
    kill: (signal) => end(128 + signal),
    end,
  };
}

function sink(onChunk: (chunk: Buffer) => void): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      onChunk(chunk);
      done();
    },
  });
}
