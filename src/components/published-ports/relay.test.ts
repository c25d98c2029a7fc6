import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { bindUdpSocket } from "../../kernel/netns/index.ts";
import { FakeClock } from "../../machinery/fake-clock.ts";
import type { PublishedPort } from "./desired-ports.ts";
import { openRelay } from "./relay.ts";

const hosts = { udp4: "127.0.0.1", udp6: "::1" } as const;
const hasIpv6 = existsSync("/proc/net/if_inet6");

/** From a client of one family to a server of the same or the other, as 127.0.0.1 leads to an IPv6 cluster's Service. */
const ways = [
  ["udp4", "udp4"],
  ["udp4", "udp6"],
  ["udp6", "udp6"],
] as const;

for (const [from, to] of ways) {
  const skip = hasIpv6 || to === "udp4" ? false : "this machine has no IPv6";
  test(`openRelay() passes datagrams there and back, ${from} to ${to}`, { skip }, async () => {
    const server = createSocket(to);
    server.bind(0, hosts[to]);
    await once(server, "listening");
    server.on("message", (message, sender) => server.send(`${message.toString()} back`, sender.port, sender.address));
    // A number that is free now; the relay takes it a moment later.
    const finder = createSocket(from);
    finder.bind(0, hosts[from]);
    await once(finder, "listening");
    const listen = { host: hosts[from], port: finder.address().port };
    finder.close();
    const port: PublishedPort = {
      key: "test",
      service: "default/dns",
      protocol: "UDP",
      listen,
      target: { address: hosts[to], port: server.address().port, from: "outside" },
    };
    const relay = await openRelay(port, {
      clock: new FakeClock(),
      dialer: {
        connectTcp: async () => await Promise.reject(new Error("not asked")),
        bindUdp: async ({ address }) => await Promise.resolve(bindUdpSocket({ address, port: 0 })),
      },
    });
    const client = createSocket(from);
    try {
      for (const text of ["one", "two"]) {
        const answered = once(client, "message", { signal: AbortSignal.timeout(10_000) });
        client.send(text, listen.port, listen.host);
        const [message] = (await answered) as [Buffer];
        assert.equal(message.toString(), `${text} back`);
      }
    } finally {
      client.close();
      relay.close();
      server.close();
    }
  });
}
