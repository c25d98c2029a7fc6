/** Listeners on the host's loopback that pass on what they get into the cluster. */
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { pipeline } from "node:stream";
import type { Clock } from "../../machinery/clock.ts";
import type { ClusterTarget, PublishedPort } from "./desired-ports.ts";

/** Sockets in the namespaces from which the host's clients enter the cluster. */
export interface ClusterDialer {
  connectTcp(target: ClusterTarget): Promise<Socket>;
  /** A descriptor of a UDP socket bound to an address of the target's family, for dgram's `bind({ fd })`. */
  bindUdp(target: ClusterTarget): Promise<number>;
}

export interface Relay {
  close(): void;
}

/** Resolves when it listens; rejects when the address cannot be bound. */
export async function openRelay(
  port: PublishedPort,
  options: { readonly dialer: ClusterDialer; readonly clock: Clock },
): Promise<Relay> {
  return await (port.protocol === "TCP" ? openTcpRelay(port, options.dialer) : openUdpRelay(port, options));
}

async function openTcpRelay(port: PublishedPort, dialer: ClusterDialer): Promise<Relay> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    open.add(client);
    client.once("close", () => open.delete(client));
    void relay(client, port, dialer);
  });
  server.listen(port.listen);
  await once(server, "listening");
  return {
    close: () => {
      server.close();
      for (const client of open) client.destroy();
    },
  };
}

/** A refusal inside the cluster is a reset for the client, as it would be at the node itself. */
async function relay(client: Socket, port: PublishedPort, dialer: ClusterDialer): Promise<void> {
  try {
    const upstream = await dialer.connectTcp(port.target);
    pipeline(client, upstream, client, () => {
      upstream.destroy();
      client.destroy();
    });
  } catch {
    client.resetAndDestroy();
  }
}

const udpType = (address: string): "udp4" | "udp6" => (address.includes(":") ? "udp6" : "udp4");

/** A flow without packets for so long is forgotten, as connection tracking does with unreplied ones. */
const udpIdleMs = 30_000;

async function openUdpRelay(
  port: PublishedPort,
  options: { readonly dialer: ClusterDialer; readonly clock: Clock },
): Promise<Relay> {
  const { dialer, clock } = options;
  const flows = new Map<string, Promise<UdpSocket>>();
  const closed = new AbortController();
  const server = createSocket(udpType(port.listen.host));
  server.bind({ address: port.listen.host, port: port.listen.port, exclusive: true });
  await once(server, "listening");

  const openFlow = async (
    key: string,
    client: { readonly address: string; readonly port: number },
  ): Promise<UdpSocket> => {
    const upstream = createSocket(udpType(port.target.address));
    let lastUsed = clock.now();
    upstream.on("message", (message) => {
      lastUsed = clock.now();
      server.send(message, client.port, client.address);
    });
    const drop = (): void => {
      if (flows.delete(key)) upstream.close();
    };
    upstream.on("error", drop);
    const fd = await dialer.bindUdp(port.target);
    // Of a socket that is bound already, "listening" comes within this very call.
    const listening = once(upstream, "listening");
    upstream.bind({ fd });
    await listening;
    void (async () => {
      while (Math.abs(clock.now() - lastUsed) < udpIdleMs) await clock.sleep(udpIdleMs, closed.signal);
    })().then(drop, drop);
    return upstream;
  };
  server.on("message", (message, client) => {
    const key = `${client.address}:${client.port}`;
    const flow = flows.get(key) ?? openFlow(key, client);
    flows.set(key, flow);
    flow.then(
      (upstream) => upstream.send(message, port.target.port, port.target.address),
      () => flows.delete(key),
    );
  });
  return {
    close: () => {
      closed.abort(new Error("the relay was closed"));
      server.close();
    },
  };
}
