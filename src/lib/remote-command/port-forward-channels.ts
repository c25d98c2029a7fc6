/**
 * Port-forward over plain WebSocket channels (v4.channel.k8s.io), as client libraries other than kubectl's do it: of the
 * ports in the query the first has channels 0 (data) and 1 (error), the second 2 and 3, and so on.
 */
import type { Duplex } from "node:stream";
import type { MessageSocket } from "./message-socket.ts";

const mostPorts = 100;

/** Serves until the socket closes; one connection per port. */
export async function servePortForwardChannels(
  socket: MessageSocket,
  options: { readonly ports: readonly number[]; readonly dial: (port: number) => Promise<Duplex> },
): Promise<void> {
  const closed = Promise.withResolvers<void>();
  socket.on("close", () => closed.resolve());
  socket.on("error", () => closed.resolve());
  const { ports } = options;
  const areValid = ports.every((port) => Number.isInteger(port) && port > 0 && port < 65_536);
  if (ports.length === 0 || ports.length > mostPorts || !areValid) {
    socket.close(1008, "name the ports in the query: ports=80");
    return;
  }
  const targets = ports.map((port) => options.dial(port));
  // What comes before a connection is there waits in the promise's line.
  const lines = targets.map((target) => target.then(() => undefined));
  ports.forEach((port, index) => void join(socket, { port, channel: index * 2, target: targets[index] }));
  socket.on("message", (message) => {
    const index = (message[0] ?? 0) / 2;
    const target = targets[index];
    if (target === undefined || message.length === 1) return;
    lines[index] = (lines[index] ?? Promise.resolve()).then(async () => {
      const stream = await target;
      if (!stream.destroyed && stream.writable) stream.write(message.subarray(1));
      return undefined;
    });
    lines[index].catch(() => undefined);
  });
  for (const line of lines) line.catch(() => undefined);
  await closed.promise;
  for (const target of targets) {
    void target.then(
      (stream) => stream.destroy(),
      () => undefined,
    );
  }
}

async function join(
  socket: MessageSocket,
  given: { readonly port: number; readonly channel: number; readonly target: Promise<Duplex> | undefined },
): Promise<void> {
  const { port, channel, target } = given;
  const send = (to: number, data: Buffer, done: () => void): void =>
    socket.send(Buffer.concat([Buffer.from([to]), data]), () => done());
  // Each channel begins with its port, little-endian.
  const head = Buffer.alloc(2);
  head.writeUInt16LE(port);
  for (const to of [channel, channel + 1]) send(to, head, () => undefined);
  try {
    const stream = await target;
    if (stream === undefined) return;
    stream.on("error", () => stream.destroy());
    stream.on("data", (chunk: Buffer) => {
      stream.pause();
      send(channel, chunk, () => stream.resume());
    });
    stream.on("end", () => socket.close(1000));
  } catch (error) {
    send(channel + 1, Buffer.from(error instanceof Error ? error.message : String(error)), () => undefined);
  }
}
