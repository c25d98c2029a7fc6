/** Port-forward over SPDY: per connection of the client a pair of streams, data and error, with one request id. */
import type { Duplex } from "node:stream";
import { SpdyConnection } from "../spdy/index.ts";
import type { SpdyStream } from "../spdy/index.ts";

interface Pair {
  data?: SpdyStream;
  error?: SpdyStream;
}

/** A client that opens one stream of a pair and not the other must not keep it for ever. */
const mostHalfPairs = 256;

/**
 * Serves until the connection ends.
 *
 * @param dial - Connects to a port of the pod; its rejection's message is told to the client.
 */
export async function servePortForward(
  socket: Duplex,
  options: { readonly head?: Buffer; readonly dial: (port: number) => Promise<Duplex> },
): Promise<void> {
  const pairs = new Map<string, Pair>();
  const connection = new SpdyConnection(
    socket,
    {
      role: "server",
      onStream: (stream) => {
        const port = Number(stream.header("port"));
        const type = stream.header("streamtype");
        if (!Number.isInteger(port) || port < 1 || port > 65_535 || (type !== "data" && type !== "error")) {
          stream.destroy();
          return;
        }
        // Clients older than the request id open both streams of a pair one after the other.
        const id = stream.header("requestid") ?? `stream ${type === "error" ? stream.id : stream.id - 2}`;
        const pair = pairs.get(id) ?? {};
        if (pair[type] !== undefined || (!pairs.has(id) && pairs.size >= mostHalfPairs)) {
          stream.destroy();
          return;
        }
        pair[type] = stream;
        connection.reply(stream);
        pairs.set(id, pair);
        if (pair.data === undefined || pair.error === undefined) return;
        pairs.delete(id);
        void forward({ data: pair.data, error: pair.error }, () => options.dial(port));
      },
    },
    options.head,
  );
  await connection.closed;
}

async function forward(
  { data, error }: { readonly data: SpdyStream; readonly error: SpdyStream },
  dial: () => Promise<Duplex>,
): Promise<void> {
  error.resume();
  let target: Duplex;
  try {
    target = await dial();
  } catch (problem) {
    error.end(problem instanceof Error ? problem.message : String(problem));
    data.end();
    data.resume();
    return;
  }
  join(data, target);
  join(target, data);
  target.on("close", () => error.end());
}

/** Halves close one by one; a break on either side breaks the other. */
function join(from: Duplex, to: Duplex): void {
  from.on("error", () => to.destroy());
  from.on("close", () => {
    if (!from.readableEnded) to.destroy();
  });
  from.pipe(to);
}
