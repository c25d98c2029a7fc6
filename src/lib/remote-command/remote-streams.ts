/** The client's side of an exec or attach, whichever protocol carries it. */
import type { Readable, Writable } from "node:stream";
import type { ExitResult } from "./exit-status.ts";
import type { TerminalSize } from "./terminal-size.ts";

/** Which streams the request asked for. */
export interface StreamRequest {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

export interface RemoteStreams {
  readonly stdin: Readable | undefined;
  readonly stdout: Writable | undefined;
  readonly stderr: Writable | undefined;
  /** Calls back for each new size of the client's terminal, also for those that came before the call. */
  onResize(callback: (size: TerminalSize) => void): void;
  /** Ends the output, says how the command ended, and closes. */
  finish(result: ExitResult): Promise<void>;
  /** Resolves when the client is gone, or everything was said. */
  readonly closed: Promise<void>;
}

/** The process behind it: `Session` of the container room has this shape. */
export interface ServedSession {
  readonly stdin: Writable | undefined;
  readonly stdout: Readable;
  readonly stderr: Readable | undefined;
  resize(size: TerminalSize): void;
  readonly exit: Promise<number>;
  close(): void;
}

/** Joins client and process until the process ends or the client goes away; then the session is closed. */
export async function serveSession(streams: RemoteStreams, session: ServedSession): Promise<void> {
  streams.onResize((size) => session.resize(size));
  if (streams.stdin !== undefined && session.stdin !== undefined) connectInput(streams.stdin, session.stdin);
  const outputs = Promise.all([
    connectOutput(session.stdout, streams.stdout),
    session.stderr === undefined ? undefined : connectOutput(session.stderr, streams.stderr),
  ]);
  const ended = session.exit.then(
    (exitCode) => ({ type: "exited", exitCode }) as const,
    (error: unknown) => ({ type: "failed", message: error instanceof Error ? error.message : String(error) }) as const,
  );
  const isGone = Symbol("gone");
  const result = await Promise.race([ended, streams.closed.then((): typeof isGone => isGone)]);
  if (result !== isGone) {
    // The exit may be known before the last of the output has been read.
    await Promise.race([outputs, streams.closed]);
    await streams.finish(result);
  }
  session.close();
}

function connectInput(from: Readable, to: Writable): void {
  // A process that closed its stdin is no failure of the session.
  to.on("error", () => from.resume());
  from.on("error", () => to.end());
  from.pipe(to);
}

/** Resolves when `from` has been read to its end; output nobody asked for is thrown away. */
function connectOutput(from: Readable, to: Writable | undefined): Promise<void> {
  return new Promise((resolve) => {
    from.on("close", () => resolve());
    from.on("end", () => resolve());
    from.on("error", () => resolve());
    if (to === undefined) {
      from.resume();
      return;
    }
    to.on("error", () => from.resume());
    from.pipe(to, { end: false });
  });
}
