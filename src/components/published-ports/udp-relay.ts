import { createSocket, type RemoteInfo, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { closeSync } from "node:fs";
import type { Clock } from "../../machinery/clock.ts";
import type { PublishedPort } from "./desired-ports.ts";
import type { ClusterDialer, Relay } from "./relay.ts";

/** A flow without packets for so long is forgotten, as connection tracking does with unreplied ones. */
const idleMs = 30_000;
/** Each is a socket: a client that sends every packet from another port must not take all there are. */
const mostFlows = 512;

/** What one client sends and is answered. */
interface Flow {
  readonly upstream: UdpSocket;
  /** Whether there is a way for its packets; never rejects. */
  readonly isOpen: Promise<boolean>;
  lastUsedMs: number;
  readonly ended: AbortSignal;
  /** Harmless when repeated. */
  readonly end: () => void;
}

/** Resolves when it listens; rejects when the address cannot be bound. */
export async function openUdpRelay(
  port: PublishedPort,
  { dialer, clock }: { readonly dialer: ClusterDialer; readonly clock: Clock },
): Promise<Relay> {
  const { listen, target } = port;
  /** By the client's address and port, the one that was used last at the end. */
  const flows = new Map<string, Flow>();
  const server = createSocket(udpType(listen.host));
  server.bind({ address: listen.host, port: listen.port, exclusive: true });
  await once(server, "listening");
  // A packet that cannot be sent is as one that is lost.
  server.on("error", () => undefined);

  const openFlow = (key: string, client: RemoteInfo): Flow => {
    const upstream = createSocket(udpType(target.address));
    const ended = new AbortController();
    const flow: Flow = {
      upstream,
      isOpen: bind(upstream, async () => await dialer.bindUdp(target), ended.signal),
      lastUsedMs: clock.now(),
      ended: ended.signal,
      end: () => {
        if (ended.signal.aborted) return;
        ended.abort();
        flows.delete(key);
        upstream.close();
      },
    };
    upstream.on("error", flow.end);
    upstream.on("message", (message) => {
      flow.lastUsedMs = clock.now();
      server.send(message, client.port, client.address);
    });
    void untilIdle(flow, clock).then(flow.end, flow.end);
    return flow;
  };
  const pass = async (flow: Flow, message: Buffer): Promise<void> => {
    if (!(await flow.isOpen)) flow.end();
    else if (!flow.ended.aborted) flow.upstream.send(message, target.port, target.address);
  };
  server.on("message", (message, client) => {
    const key = `${client.address}:${client.port}`;
    const flow = flows.get(key) ?? openFlow(key, client);
    flow.lastUsedMs = clock.now();
    flows.delete(key);
    flows.set(key, flow);
    const [oldest] = flows.values();
    if (flows.size > mostFlows) oldest?.end();
    void pass(flow, message);
  });
  return {
    close: () => {
      server.close();
      for (const flow of flows.values()) flow.end();
    },
  };
}

const udpType = (address: string): "udp4" | "udp6" => (address.includes(":") ? "udp6" : "udp4");

/** False where no descriptor is to be had, or `signal` aborted meanwhile: then the socket is closed by whoever did that. */
async function bind(socket: UdpSocket, open: () => Promise<number>, signal: AbortSignal): Promise<boolean> {
  try {
    const fd = await open();
    if (signal.aborted) {
      closeSync(fd);
      return false;
    }
    // Of a socket that is bound already, "listening" comes within this very call.
    const listening = once(socket, "listening");
    socket.bind({ fd });
    await listening;
    return !signal.aborted;
  } catch {
    return false;
  }
}

/** Rejects when the flow has ended. */
async function untilIdle(flow: Pick<Flow, "lastUsedMs" | "ended">, clock: Clock): Promise<void> {
  for (;;) {
    // A clock that was set makes a flow old as well: nothing is lost but its port.
    const leftMs = idleMs - Math.abs(clock.now() - flow.lastUsedMs);
    if (leftMs <= 0) return;
    await clock.sleep(leftMs, flow.ended);
  }
}
