import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { after, before, describe, test } from "node:test";
import { join } from "node:path";
import { createLabNetwork } from "../../src/components/lab-network/index.ts";
import { bindUdpSocket, createNetworkNamespace } from "../../src/kernel/netns/index.ts";
import { readSysctl } from "../../src/kernel/sysctl/index.ts";
import { FakeClock } from "../../src/machinery/fake-clock.ts";
import { silentLogger } from "../../src/machinery/log.ts";
import { clusterPaths } from "../../src/model/cluster-config.ts";
import { operationText } from "../../src/model/network-state/index.ts";
import { patience } from "../patience.ts";
import { inNamespaces } from "./in-namespaces.ts";
import { labConfig } from "./lab-config.ts";
import { namespaceFolder } from "./namespace-folder.ts";

inNamespaces(import.meta.url, (mode) => {
  for (const ipFamily of ["ipv6", "dual"]) {
    const dir = mkdtempSync(join(tmpdir(), "netloom-lab6-"));
    const config = labConfig(dir, { ipFamily });
    const { netns } = clusterPaths(config);
    const { inside, withNetwork, state, close } = namespaceFolder(netns, "labNetwork");
    const clock = new FakeClock();
    const repairs: string[] = [];
    const stop = new AbortController();
    const lab = createLabNetwork({
      config,
      nodes: config.nodes,
      ownsLan: true,
      log: silentLogger,
      clock,
      onRepair: (name, what) => repairs.push(...what.map((text) => `${name}: ${text}`)),
    });
    const running: Promise<void>[] = [];

    describe(`lab network of "${ipFamily}" (${mode})`, () => {
      before(async () => {
        createNetworkNamespace(`${netns}/lan`).close();
        running.push(lab.run(stop.signal));
        await lab.ready;
      });
      after(async () => {
        stop.abort();
        await Promise.all(running);
        close();
        rmSync(dir, { recursive: true });
      });

      test("gives every namespace its addresses, and every link has inherited that nobody is asked for them", () => {
        const addresses = {
          lan: [...config.controlPlaneAddresses, ...config.outsideRouterAddresses],
          outside: config.outsideAddresses,
          "node-1": config.nodes[0]?.addresses,
        };
        for (const [name, expected] of Object.entries(addresses)) {
          const planned = state(name).addresses.filter(({ isOurs }) => isOurs);
          assert.deepEqual(planned.map(({ address }) => address).toSorted(), expected?.toSorted());
          const settings = state(name).links.flatMap(({ name: link }) =>
            ["accept_dad", "accept_ra"].map((setting) => `net/ipv6/conf/${link}/${setting}`),
          );
          // The loopback was there before.
          for (const key of settings.filter((one) => !one.includes("/lo/"))) {
            assert.equal(
              inside(name, () => readSysctl(key)),
              "0",
              `${key} in ${name}`,
            );
          }
        }
      });

      test("refuses at once what leads nowhere, to connected sockets of a node too", async () => {
        const socket = createSocket("udp6");
        try {
          socket.bind({ fd: inside("node-1", () => bindUdpSocket({ address: "::", port: 0 })) });
          const refused = once(socket, "error", { signal: AbortSignal.timeout(3000 * patience) });
          socket.connect(53, "2001:db8::53", () => socket.send("?"));
          const [error] = (await refused) as [NodeJS.ErrnoException];
          assert.equal(error.code, "EACCES");
        } finally {
          socket.close();
        }
      });

      test("puts back an IPv6 address, the way to the router and the router's rules", async () => {
        await clock.advance(1000);
        repairs.length = 0;
        const address = state("node-1").addresses.find((one) => one.isOurs && one.address.includes(":"));
        const rules = state("lan").rules.filter(({ isOurs, family }) => isOurs && family === "IPv6");
        assert.ok(address !== undefined && rules.length === 2);
        // With its address goes the way that leads over it.
        withNetwork("node-1", (network) => network.apply([{ type: "delete-address", address }]));
        withNetwork("lan", (network) => network.apply(rules.map((rule) => ({ type: "delete-rule", rule }))));
        await clock.advance(1000);
        assert.ok(state("node-1").addresses.some((one) => one.address === address.address));
        assert.ok(state("node-1").routes.some(({ destination }) => destination === "::/0"));
        assert.equal(state("lan").rules.filter(({ isOurs, family }) => isOurs && family === "IPv6").length, 2);
        assert.ok(
          repairs.includes(`node-1: ${operationText({ type: "delete-address", address }).replace("delete", "add")}`),
          repairs.join(", "),
        );
        repairs.length = 0;
        await clock.advance(40_000);
        assert.deepEqual(repairs, []);
      });
    });
  }
});
