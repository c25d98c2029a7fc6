/** Exec and attach over SPDY: a stream per channel, named by its header `streamtype`. */
import type { Duplex } from "node:stream";
import { SpdyConnection } from "../spdy/index.ts";
import type { SpdyStream } from "../spdy/index.ts";
import { exitStatusText } from "./exit-status.ts";
import { hasResize } from "./protocols.ts";
import type { RemoteStreams, StreamRequest } from "./remote-streams.ts";
import { TerminalSizeDecoder } from "./terminal-size.ts";

/** The client did not open the streams its request named. */
export class StreamsMissingError extends Error {
  override readonly name = "StreamsMissingError";
  readonly code = "STREAMS_MISSING";
}

/**
 * Waits until the client has opened all streams of its request. Rejects with `StreamsMissingError` when the signal
 * aborts first or the connection ends; the socket is then closed.
 */
export async function acceptSpdyStreams(
  socket: Duplex,
  options: {
    readonly request: StreamRequest;
    readonly protocol: string;
    readonly head?: Buffer;
    readonly signal: AbortSignal;
  },
): Promise<RemoteStreams> {
  const { request, protocol, head, signal } = options;
  const awaited = expectedStreams(request, protocol);
  const streams = new Map<string, SpdyStream>();
  const complete = Promise.withResolvers<void>();
  const connection = new SpdyConnection(
    socket,
    {
      role: "server",
      onStream: (stream) => {
        const type = stream.header("streamtype") ?? "";
        if (!awaited.has(type) || streams.has(type)) {
          stream.destroy();
          return;
        }
        streams.set(type, stream);
        connection.reply(stream);
        if (streams.size === awaited.size) complete.resolve();
      },
    },
    head,
  );
  const give = (): void => {
    complete.reject(new StreamsMissingError("timed out waiting for client to create streams"));
    connection.destroy();
  };
  signal.addEventListener("abort", give, { once: true });
  void connection.closed.then(give);
  await complete.promise;
  signal.removeEventListener("abort", give);
  return remoteStreams(connection, streams, protocol);
}

function expectedStreams({ stdin, stdout, stderr, tty }: StreamRequest, protocol: string): ReadonlySet<string> {
  const names = ["error"];
  if (stdin) names.push("stdin");
  if (stdout) names.push("stdout");
  // With a terminal everything is on stdout.
  if (stderr && !tty) names.push("stderr");
  if (tty && hasResize(protocol)) names.push("resize");
  return new Set(names);
}

function remoteStreams(
  connection: SpdyConnection,
  streams: ReadonlyMap<string, SpdyStream>,
  protocol: string,
): RemoteStreams {
  const [stdout, stderr, error] = [streams.get("stdout"), streams.get("stderr"), streams.get("error")];
  error?.resume();
  return {
    stdin: streams.get("stdin"),
    stdout,
    stderr,
    closed: connection.closed,
    onResize: (callback) => {
      const decoder = new TerminalSizeDecoder();
      streams.get("resize")?.on("data", (chunk: Buffer) => decoder.push(chunk).forEach(callback));
    },
    finish: async (result) => {
      // kubectl ends when the error stream does: the output must be whole before.
      await Promise.all([ended(stdout), ended(stderr)]);
      const text = exitStatusText(result, protocol);
      if (text !== "") error?.write(text);
      await ended(error);
      connection.close();
    },
  };
}

function ended(stream: SpdyStream | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (stream === undefined || stream.destroyed) {
      resolve();
      return;
    }
    stream.on("close", () => resolve());
    stream.end(() => resolve());
  });
}
