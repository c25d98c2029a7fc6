/** The sockets of a port: UDP and TCP, both families where the machine has them. */
import { createSocket } from "node:dgram";
import type { Socket as UdpSocket } from "node:dgram";
import { createServer } from "node:net";
import type { Socket as TcpSocket } from "node:net";
import { frame, frameReader } from "../../lib/dns-message/index.ts";
import type { Respond } from "./responder.ts";

/** A TCP client that says nothing for so long is disconnected (RFC 7766 section 6.2.3). */
const tcpIdleMs = 10_000;
/** More at once would be an attack. */
const maxTcpClients = 1000;
/** Questions of one connection under way at once; further ones wait in the socket. */
const maxPipelined = 64;

export interface Listener {
  /** The bound port: of use where 0 was asked for. */
  readonly port: number;
  /** Frees the port; what is under way is still answered where the socket allows. */
  close(): Promise<void>;
}

export interface ListenOptions {
  /** "::" answers IPv4 as well; where the machine has no IPv6, 0.0.0.0 is taken instead. */
  readonly host: string;
  readonly port: number;
  readonly respond: Respond;
}

/** Rejects with the system's error where the port is taken or may not be bound. */
export async function listen(options: ListenOptions): Promise<Listener> {
  try {
    return await listenOn(options);
  } catch (error) {
    const hasNoIpv6 = options.host === "::" && (error as NodeJS.ErrnoException).code === "EAFNOSUPPORT";
    if (!hasNoIpv6) throw error;
    return listenOn({ ...options, host: "0.0.0.0" });
  }
}

async function listenOn(options: ListenOptions): Promise<Listener> {
  const udp = await listenUdp(options);
  const { port } = udp.address();
  try {
    const closeTcp = await listenTcp({ ...options, port });
    return {
      port,
      close: async () => {
        await Promise.all([closeTcp(), new Promise<void>((resolve) => udp.close(() => resolve()))]);
      },
    };
  } catch (error) {
    udp.close();
    throw error;
  }
}

function listenUdp({ host, port, respond }: ListenOptions): Promise<UdpSocket> {
  const socket = createSocket({
    type: host.includes(":") ? "udp6" : "udp4",
    recvBufferSize: 1 << 20,
    // Replies go to addresses, never to names: without this, each one would pass through dns.lookup.
    lookup: (name, _options, callback) => callback(null, name, host.includes(":") ? 6 : 4),
  });
  const { promise, resolve, reject } = Promise.withResolvers<UdpSocket>();
  socket.once("error", reject);
  socket.bind(port, host, () => {
    socket.off("error", reject);
    // Such as a client that is gone: nothing to do about, and no reason to end.
    socket.on("error", () => undefined);
    resolve(socket);
  });
  socket.on("message", (bytes, { address, port: from }) => {
    const reply = respond(bytes, { transport: "udp", address, port: from });
    if (reply === undefined) return;
    if (reply instanceof Promise) void reply.then((later) => later && send(later));
    else send(reply);
    function send(message: Buffer): void {
      socket.send(message, 0, message.length, from, address, ignore);
    }
  });
  return promise;
}

function ignore(): void {
  // A reply that cannot be sent is as one that is lost: the client asks again.
}

async function listenTcp({ host, port, respond }: ListenOptions): Promise<() => Promise<void>> {
  const clients = new Set<TcpSocket>();
  const server = createServer((socket) => {
    clients.add(socket);
    socket.setTimeout(tcpIdleMs, () => socket.destroy());
    socket.on("error", () => socket.destroy());
    socket.on("close", () => clients.delete(socket));
    serve(socket, respond);
  });
  server.maxConnections = maxTcpClients;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  return () => {
    const closed = new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
    for (const socket of clients) socket.destroySoon();
    return closed;
  };
}

/** Replies may overtake each other (RFC 7766 section 7); a client that does not read them is not read either. */
function serve(socket: TcpSocket, respond: Respond): void {
  const origin = { transport: "tcp", address: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 } as const;
  let underWay = 0;
  const read = frameReader((bytes) => {
    const reply = respond(bytes, origin);
    if (reply === undefined) return;
    if (!(reply instanceof Promise)) {
      send(reply);
      return;
    }
    underWay += 1;
    if (underWay >= maxPipelined) socket.pause();
    void finish(reply);
  });
  socket.on("data", read);
  async function finish(reply: Promise<Buffer | undefined>): Promise<void> {
    const later = await reply;
    underWay -= 1;
    if (socket.isPaused() && underWay < maxPipelined && !socket.writableNeedDrain) socket.resume();
    if (later !== undefined) send(later);
  }
  socket.on("drain", () => {
    if (underWay < maxPipelined) socket.resume();
  });
  function send(message: Buffer): void {
    if (socket.writable && !socket.write(frame(message))) socket.pause();
  }
}
