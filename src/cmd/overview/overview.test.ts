import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { text } from "node:stream/consumers";
import type { Node, Pod, Service } from "../../api/generated/types.ts";
import type { KubernetesObject } from "../../api/object.ts";
import { resources } from "../../api/resources.ts";
import { createFakeApiClient } from "../../client/index.ts";
import { silentLogger } from "../../machinery/log.ts";
import { createNodeList } from "../../machinery/node-list.ts";
import { exampleCluster } from "../../model/cluster-plan/index.ts";
import { answerOfServer, askOverview, createOverviewSocket, OverviewError } from "./index.ts";

const container = { name: "c", image: "i" };
const node = (name: string, isReady: boolean, unschedulable = false): Node => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: { name },
  spec: { unschedulable },
  status: { conditions: [{ type: "Ready", status: isReady ? "True" : "False" }] },
});
const pod = (name: string, nodeName?: string): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: "default" },
  spec: { containers: [container], ...(nodeName === undefined ? {} : { nodeName }) },
});
const service = (namespace: string, nodePort: number): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "web", namespace },
  spec: { type: "NodePort", clusterIP: "10.96.0.9", ports: [{ port: 80, nodePort, protocol: "TCP" }] },
});

async function withSocket(
  objects: readonly (Node | Pod | Service)[],
  work: (config: ReturnType<typeof exampleCluster>) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "nlo-"));
  const config = exampleCluster(folder);
  const client = createFakeApiClient();
  const kinds = { Node: resources.nodes, Pod: resources.pods, Service: resources.services };
  for (const object of objects) client.put<KubernetesObject>(kinds[object.kind as keyof typeof kinds], object);
  const stop = new AbortController();
  const nodes = createNodeList(config.nodes.slice(0, 1));
  const socket = createOverviewSocket({
    path: join(folder, "server.sock"),
    answer: answerOfServer({ client, nodes }),
    log: silentLogger,
  });
  const running = socket.run(stop.signal);
  try {
    await socket.ready;
    await work(config);
  } finally {
    stop.abort();
    await running;
    rmSync(folder, { recursive: true });
  }
}

test("askOverview() tells each node's state and how many pods it has", async () => {
  const objects = [node("a", true), node("b", false), node("c", true, true), pod("1", "a"), pod("2", "a"), pod("3")];
  await withSocket(objects, async (config) => {
    assert.deepEqual(await askOverview(config, "server", { about: "nodes" }), [
      { name: "a", status: "Ready", pods: 2 },
      { name: "b", status: "NotReady", pods: 0 },
      { name: "c", status: "Ready,SchedulingDisabled", pods: 0 },
    ]);
  });
});

test("askOverview() tells the published ports, of all namespaces or of one", async () => {
  await withSocket([service("default", 31_080), service("other", 31_081)], async (config) => {
    const of = async (namespace?: string) =>
      (await askOverview(config, "server", { about: "ports", ...(namespace === undefined ? {} : { namespace }) })).map(
        ({ host, protocol, cluster, service: name }) => `${host} ${protocol} ${cluster} ${name}`,
      );
    const [first, second] = [
      "127.60.0.1:31080 TCP 192.168.60.11:31080 default/web:80",
      "127.60.0.1:31081 TCP 192.168.60.11:31081 other/web:80",
    ];
    assert.deepEqual(await of(), [first, second]);
    assert.deepEqual(await of("other"), [second]);
    assert.deepEqual(await of("none"), []);
  });
});

test("the overview's socket answers what is no question with an error, and goes on", async () => {
  await withSocket([node("a", true)], async (config) => {
    for (const line of ["{", "[]", '{"about":"secrets"}', '{"about":"ports","namespace":1}']) {
      const socket = connect(join(config.runDir, "server.sock"));
      socket.write(`${line}\n`);
      assert.deepEqual(JSON.parse(await text(socket)), { error: "not a question" });
    }
    assert.equal((await askOverview(config, "server", { about: "nodes" })).length, 1);
  });
});

test("a process refuses what another one knows, and goes on", async () => {
  await withSocket([node("a", true)], async (config) => {
    await assert.rejects(askOverview(config, "server", { about: "kernel" }), /for its kernel: not known here; see/);
    assert.equal((await askOverview(config, "server", { about: "nodes" })).length, 1);
  });
});

test("askOverview() says what to look at where no server answers", async () => {
  await assert.rejects(
    askOverview(exampleCluster("/no/such/folder"), "server", { about: "ports" }),
    (error) =>
      error instanceof OverviewError &&
      /^Cannot ask the cluster's server for its ports: .*netloom status/.test(error.message),
  );
});
