import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { createLabNetwork } from "../../src/components/lab-network/index.ts";
import { bindUdpSocket, createNetworkNamespace } from "../../src/kernel/netns/index.ts";
import type { Component } from "../../src/machinery/component.ts";
import { FakeClock } from "../../src/machinery/fake-clock.ts";
import { type Logger, silentLogger } from "../../src/machinery/log.ts";
import { clusterPaths } from "../../src/model/cluster-config.ts";
import { patience } from "../patience.ts";
import { inNamespaces } from "./in-namespaces.ts";
import { labConfig } from "./lab-config.ts";
import { namespaceFolder } from "./namespace-folder.ts";

inNamespaces(import.meta.url, (mode) => {
  const dir = mkdtempSync(join(tmpdir(), "netloom-lab-"));
  const config = labConfig(dir);
  const { netns } = clusterPaths(config);
  const { inside, withNetwork, state, close } = namespaceFolder(netns);
  const clock = new FakeClock();
  const warnings: string[] = [];
  const log: Logger = {
    ...silentLogger,
    warn: (message, fields) => warnings.push(`${message} ${String(fields?.["netns"])}`),
  };
  let stop = new AbortController();
  let running: Promise<void>[] = [];

  const start = (agent: number): Component => {
    const nodes = config.nodes.slice(agent - 1, agent);
    const lab = createLabNetwork({ config, nodes, ownsLan: agent === 1, log, clock });
    running.push(lab.run(stop.signal));
    return lab;
  };
  const stopAll = async (): Promise<void> => {
    stop.abort();
    await Promise.all(running);
    running = [];
    stop = new AbortController();
  };

  before(() => createNetworkNamespace(`${netns}/lan`).close());
  after(async () => {
    await stopAll();
    close();
    rmSync(dir, { recursive: true });
  });

  describe(`lab network (${mode})`, () => {
    test("an agent that does not own the router waits for its bridge", async () => {
      const second = start(2);
      await clock.advance(100);
      assert.ok(!existsSync(`${netns}/outside`));
      await start(1).ready;
      await clock.advance(100);
      await second.ready;
      const links = state("lan").links.map(({ name, master, alias }) => ({ name, master, alias }));
      assert.deepEqual(links.slice(1), [
        { name: "lan0", master: "", alias: "Cluster test lan" },
        { name: "outside", master: "", alias: "Cluster test lan" },
        { name: "node-1", master: "lan0", alias: "Node node-1" },
        { name: "node-2", master: "lan0", alias: "Node node-2" },
      ]);
    });

    test("a restart finds everything as it was, and changes nothing", async () => {
      await stopAll();
      const former = state("lan");
      warnings.length = 0;
      await Promise.all([start(1).ready, start(2).ready]);
      await clock.advance(1000);
      assert.deepEqual(state("lan"), former);
      assert.deepEqual(warnings, []);
    });

    test("what is taken away comes back within a second, and the log says where", async () => {
      const rule = state("lan").rules.find(({ priority }) => priority === 100);
      assert.ok(rule !== undefined);
      // Rules are removed by what they say, protocol included: this one as the lab's own.
      const operations = [
        { type: "delete-rule", rule },
        { type: "delete-link", name: "outside" },
      ] as const;
      withNetwork("lan", (network) => network.apply(operations), "labNetwork");
      await clock.advance(1000);
      assert.ok(state("lan").rules.some(({ priority }) => priority === 100));
      assert.ok(state("outside").routes.some(({ destination }) => destination === "0.0.0.0/0"));
      assert.deepEqual(warnings, [
        "put back what was missing in the lab's network lan",
        "put back what was missing in the lab's network outside",
      ]);
    });

    test("a resolver that nothing leads to is refused at once, to connected sockets of a node too", async () => {
      const socket = createSocket("udp4");
      try {
        socket.bind({ fd: inside("node-1", () => bindUdpSocket({ address: "0.0.0.0", port: 0 })) });
        const refused = once(socket, "error", { signal: AbortSignal.timeout(1000 * patience) });
        socket.connect(53, "198.51.100.53", () => socket.send("?"));
        const [error] = (await refused) as [NodeJS.ErrnoException];
        assert.equal(error.code, "EHOSTUNREACH");
      } finally {
        socket.close();
      }
    });

    test("what others add is left alone", async () => {
      const cause = { kind: "Test", name: "foreign" };
      const [address] = state("node-1").addresses.filter(({ link }) => link === "eth0");
      assert.ok(address !== undefined);
      withNetwork("node-1", (network) =>
        network.apply([
          { type: "create-link", link: { type: "bridge", name: "foreign", cause } },
          { type: "add-address", address: { link: "foreign", address: address.address, prefix: 32, cause } },
        ]),
      );
      await clock.advance(40_000);
      assert.ok(state("node-1").links.some(({ name }) => name === "foreign"));
      assert.ok(state("node-1").addresses.some(({ link }) => link === "foreign"));
    });

    test("fails, and says why, without the router's namespace", async () => {
      const lost = createLabNetwork({
        config: { ...config, runDir: `${dir}/nowhere` },
        nodes: [],
        ownsLan: false,
        log,
        clock,
      });
      const run = lost.run(stop.signal);
      await assert.rejects(run, { code: "ENOENT", message: /Cannot open network namespace ".*nowhere.*lan"/ });
      await assert.rejects(lost.ready, { code: "ENOENT" });
    });
  });
});
