import assert from "node:assert/strict";
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { bindUdpSocket } from "../../kernel/netns/index.ts";
import { FakeClock, settle } from "../../machinery/fake-clock.ts";
import type { PublishedPort } from "./desired-ports.ts";
import { openRelay } from "./open-relay.ts";
import type { ClusterDialer, Relay } from "./relay.ts";

const hosts = { udp4: "127.0.0.1", udp6: "::1" } as const;
const hasIpv6 = existsSync("/proc/net/if_inet6");
const anyAnswer = (): { readonly signal: AbortSignal } => ({ signal: AbortSignal.timeout(10_000) });

const neverAsked: ClusterDialer = {
  connectTcp: async () => await Promise.reject(new Error("not asked")),
  bindUdp: async () => await Promise.reject(new Error("not asked")),
};

function publishedPort(listen: PublishedPort["listen"], target: { address: string; port: number }): PublishedPort {
  return { key: "test", service: "default/dns", protocol: "UDP", listen, target: { ...target, from: "outside" } };
}

async function boundSocket(family: keyof typeof hosts): Promise<UdpSocket> {
  const socket = createSocket(family);
  socket.bind(0, hosts[family]);
  await once(socket, "listening");
  return socket;
}

/** A relay to `server`, at a number that was free a moment ago; `bound` counts the sockets in the cluster. */
async function udpRelayTo(
  server: UdpSocket,
  { from, clock }: { readonly from: keyof typeof hosts; readonly clock: FakeClock },
): Promise<{ readonly relay: Relay; readonly listen: PublishedPort["listen"]; bound: number }> {
  const finder = await boundSocket(from);
  const listen = { host: hosts[from], port: finder.address().port };
  finder.close();
  const made = { bound: 0 };
  const bindUdp: ClusterDialer["bindUdp"] = async ({ address }) => {
    made.bound += 1;
    return await Promise.resolve(bindUdpSocket({ address, port: 0 }));
  };
  const relay = await openRelay(publishedPort(listen, server.address()), { clock, dialer: { ...neverAsked, bindUdp } });
  return Object.assign(made, { relay, listen });
}

/** From a client of one family to a server of the same or the other, as 127.0.0.1 leads to an IPv6 cluster's Service. */
const ways = [
  ["udp4", "udp4"],
  ["udp4", "udp6"],
  ["udp6", "udp6"],
] as const;

for (const [from, to] of ways) {
  const skip = hasIpv6 || to === "udp4" ? false : "this machine has no IPv6";
  test(`openRelay() passes datagrams there and back, ${from} to ${to}`, { skip }, async () => {
    const server = await boundSocket(to);
    server.on("message", (message, sender) => server.send(`${message.toString()} back`, sender.port, sender.address));
    const { relay, listen } = await udpRelayTo(server, { from, clock: new FakeClock() });
    const client = createSocket(from);
    try {
      for (const said of ["one", "two"]) {
        const answered = once(client, "message", anyAnswer());
        client.send(said, listen.port, listen.host);
        const [message] = (await answered) as [Buffer];
        assert.equal(message.toString(), `${said} back`);
      }
    } finally {
      client.close();
      relay.close();
      server.close();
    }
  });
}

test("openRelay() keeps a flow of datagrams while its client goes on sending, and forgets it 30 seconds after", async () => {
  const server = await boundSocket("udp4");
  const clock = new FakeClock();
  const made = await udpRelayTo(server, { from: "udp4", clock });
  const client = createSocket("udp4");
  try {
    const bound: number[] = [];
    for (const pauseMs of [20_000, 20_000, 30_001]) {
      const arrived = once(server, "message", anyAnswer());
      client.send("unanswered", made.listen.port, made.listen.host);
      await arrived;
      bound.push(made.bound);
      await clock.advance(pauseMs);
    }
    const arrived = once(server, "message", anyAnswer());
    client.send("anew", made.listen.port, made.listen.host);
    await arrived;
    assert.deepEqual([...bound, made.bound], [1, 1, 1, 2]);
  } finally {
    client.close();
    made.relay.close();
    server.close();
  }
});

test("openRelay() keeps 512 flows of datagrams at the most, and drops the one that was silent longest", async () => {
  const server = await boundSocket("udp4");
  server.on("message", (message, { port, address }) => server.send(message, port, address));
  const clock = new FakeClock();
  const made = await udpRelayTo(server, { from: "udp4", clock });
  const clients = Array.from({ length: 514 }, () => createSocket("udp4"));
  const say = async (client: UdpSocket | undefined): Promise<void> => {
    assert.ok(client);
    const answered = once(client, "message", anyAnswer());
    client.send("x", made.listen.port, made.listen.host);
    await answered;
  };
  try {
    const [first, second] = clients;
    for (const client of clients.slice(0, 512)) await say(client);
    await say(first);
    for (const client of clients.slice(512)) await say(client);
    // Each flow that is there sleeps until it is idle.
    await settle();
    assert.equal(clock.sleeping, 512);
    await say(first);
    assert.equal(made.bound, 514);
    await say(second);
    assert.equal(made.bound, 515);
  } finally {
    for (const client of clients) client.close();
    made.relay.close();
    server.close();
  }
});

test("openRelay() goes on after a client that resets its connection before the cluster has answered", async () => {
  const finder = createServer();
  await once(finder.listen(0, "127.0.0.1"), "listening");
  const listen = { host: "127.0.0.1", port: (finder.address() as AddressInfo).port };
  finder.close();
  const backend = createServer((socket) => socket.on("error", () => socket.destroy()).end("hello"));
  await once(backend.listen(0, "127.0.0.1"), "listening");
  const isDialled = Promise.withResolvers<void>();
  const mayAnswer = Promise.withResolvers<void>();
  const connectTcp = async (): Promise<Socket> => {
    isDialled.resolve();
    await mayAnswer.promise;
    const { port } = backend.address() as AddressInfo;
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    return socket;
  };
  const port = { ...publishedPort(listen, { address: "10.96.0.10", port: 80 }), protocol: "TCP" } as const;
  const relay = await openRelay(port, { clock: new FakeClock(), dialer: { ...neverAsked, connectTcp } });
  try {
    const hasty = connect(listen.port, listen.host);
    hasty.on("error", () => undefined);
    await isDialled.promise;
    hasty.write("x");
    hasty.resetAndDestroy();
    // The relay hears of the reset, where it listens for it or not, before this client's connection.
    const patient = connect(listen.port, listen.host);
    await once(patient, "connect");
    await settle();
    mayAnswer.resolve();
    assert.equal(await text(patient), "hello");
  } finally {
    relay.close();
    backend.close();
  }
});
