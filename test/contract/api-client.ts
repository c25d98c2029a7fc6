/** What every ApiClient promises, whatever stands behind it: run by one test file per implementation. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import type { ConfigMap, Pod } from "../../src/api/generated/types.ts";
import type { KubernetesObject, WatchEvent } from "../../src/api/object.ts";
import { resources } from "../../src/api/resources.ts";
import { ApiError } from "../../src/api/status.ts";
import type { ApiClient } from "../../src/client/index.ts";
import { patience } from "../patience.ts";

const { configMaps, pods } = resources;
const namespace = "default";

function configMap(name: string, labels: Record<string, string> = {}): ConfigMap {
  return { metadata: { name, namespace, labels }, data: { key: "value" } };
}

function pod(name: string, nodeName?: string): Pod {
  const spec = { containers: [{ name: "main", image: "busybox" }], ...(nodeName === undefined ? {} : { nodeName }) };
  return { metadata: { name, namespace }, spec };
}

/** A name of its own for each test, because they share a server. */
const fresh = (prefix: string): string => `${prefix}-${randomUUID().slice(0, 8)}`;
const hasReason = (reason: string) => (error: unknown) => error instanceof ApiError && error.reason === reason;

async function take<T extends KubernetesObject>(events: AsyncIterable<WatchEvent<T>>, count: number) {
  const taken: WatchEvent<T>[] = [];
  for await (const event of events) {
    if (event.type !== "BOOKMARK") taken.push(event);
    if (taken.length === count) break;
  }
  return taken;
}

export function testApiClient(implementation: string, getClient: () => ApiClient): void {
  const contract = (title: string, body: (client: ApiClient) => Promise<void>): void => {
    test(`${implementation}: ${title}`, { timeout: 10_000 * patience }, () => body(getClient()));
  };

  contract("create() answers the stored object and get() reads it", async (client) => {
    const key = { namespace, name: fresh("created") };
    const created = await client.create(configMaps, configMap(key.name, { app: "web" }));
    assert.equal(created.kind, "ConfigMap");
    assert.equal(created.apiVersion, "v1");
    assert.match(created.metadata?.uid ?? "", /^[0-9a-f-]{36}$/);
    assert.match(created.metadata?.creationTimestamp ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.ok(Number(created.metadata?.resourceVersion) > 0);
    assert.deepEqual(await client.get(configMaps, key), created);
  });

  contract("create() makes a name from generateName", async (client) => {
    const created = await client.create(configMaps, { metadata: { generateName: "made-", namespace } });
    assert.match(created.metadata?.name ?? "", /^made-[a-z0-9]{5}$/);
  });

  contract("a missing object is NotFound with upstream's message", async (client) => {
    await assert.rejects(client.get(configMaps, { namespace, name: "missing" }), (error) => {
      assert.ok(error instanceof ApiError);
      assert.equal(error.code, 404);
      assert.equal(error.message, 'configmaps "missing" not found');
      return hasReason("NotFound")(error);
    });
  });

  contract("a second create() is AlreadyExists", async (client) => {
    const name = fresh("twice");
    await client.create(configMaps, configMap(name));
    await assert.rejects(client.create(configMaps, configMap(name)), hasReason("AlreadyExists"));
  });

  contract("update() with an old resource version is Conflict, without one it wins", async (client) => {
    const created = await client.create(configMaps, configMap(fresh("updated")));
    const updated = await client.update(configMaps, { ...created, data: { key: "new" } });
    assert.notEqual(updated.metadata?.resourceVersion, created.metadata?.resourceVersion);
    await assert.rejects(client.update(configMaps, { ...created, data: {} }), hasReason("Conflict"));
    const { resourceVersion: _old, ...metadata } = created.metadata ?? {};
    const forced = await client.update(configMaps, { ...created, metadata, data: { key: "forced" } });
    assert.equal(forced.data?.["key"], "forced");
  });

  contract("an update() that changes nothing writes nothing", async (client) => {
    const created = await client.create(configMaps, configMap(fresh("same")));
    const updated = await client.update(configMaps, created);
    assert.equal(updated.metadata?.resourceVersion, created.metadata?.resourceVersion);
  });

  contract("status is written apart from the rest", async (client) => {
    const created = await client.create(pods, pod(fresh("status")));
    const key = { namespace, name: created.metadata?.name ?? "" };
    const next: Pod = {
      ...created,
      metadata: { ...created.metadata, labels: { a: "b" } },
      status: { podIP: "10.0.0.1" },
    };
    const withStatus = await client.update(pods, next, { subresource: "status" });
    assert.equal(withStatus.status?.podIP, "10.0.0.1");
    const changed = { ...withStatus, metadata: { ...withStatus.metadata, labels: { c: "d" } }, status: {} };
    assert.equal((await client.update(pods, changed)).status?.podIP, "10.0.0.1");
    assert.deepEqual((await client.get(pods, key)).metadata?.labels?.["c"], "d");
  });

  contract("patch() merges, and takes JSON patches", async (client) => {
    const key = { namespace, name: fresh("patched") };
    await client.create(configMaps, configMap(key.name));
    const merged = await client.patch(configMaps, key, { type: "merge", body: { data: { key: null, other: "1" } } });
    assert.deepEqual(merged.data, { other: "1" });
    const body = [{ op: "replace", path: "/data/other", value: "2" }];
    assert.deepEqual((await client.patch(configMaps, key, { type: "json", body })).data, { other: "2" });
  });

  contract("patch() of the strategic kind merges lists by their key", async (client) => {
    const created = await client.create(pods, pod(fresh("strategic")));
    const key = { namespace, name: created.metadata?.name ?? "" };
    const body = { spec: { containers: [{ name: "main", image: "nginx" }] } };
    const next = await client.patch(pods, key, { type: "strategic", body });
    assert.deepEqual(
      next.spec?.containers.map((container) => [container.name, container.image]),
      [["main", "nginx"]],
    );
  });

  contract("list() selects by label and field", async (client) => {
    const mark = fresh("mark");
    const one = await client.create(configMaps, configMap(fresh("list"), { mark, tier: "a" }));
    await client.create(configMaps, configMap(fresh("list"), { mark, tier: "b" }));
    const names = async (options: { labelSelector?: string; fieldSelector?: string }): Promise<unknown> => {
      const list = await client.list(configMaps, { namespace, ...options });
      return list.items.map((item) => item.metadata?.name);
    };
    const name = one.metadata?.name ?? "";
    assert.deepEqual(await names({ labelSelector: `mark=${mark},tier in (a)` }), [name]);
    assert.deepEqual(await names({ labelSelector: `mark=${mark}`, fieldSelector: `metadata.name=${name}` }), [name]);
    assert.equal((await client.list(configMaps, { labelSelector: `mark=${mark}` })).items.length, 2);
  });

  contract("watch() after a list() misses nothing and follows selectors", async (client) => {
    const mark = fresh("watched");
    const { metadata } = await client.list(configMaps, { labelSelector: `mark=${mark}` });
    const created = await client.create(configMaps, configMap(fresh("watch"), { mark }));
    const controller = new AbortController();
    const events = take(
      client.watch(configMaps, {
        labelSelector: `mark=${mark}`,
        resourceVersion: metadata?.resourceVersion ?? "",
        signal: controller.signal,
      }),
      4,
    );
    const key = { namespace, name: created.metadata?.name ?? "" };
    await client.patch(configMaps, key, { type: "merge", body: { data: { key: "2" } } });
    await client.patch(configMaps, key, { type: "merge", body: { metadata: { labels: { mark: null } } } });
    await client.patch(configMaps, key, { type: "merge", body: { metadata: { labels: { mark } } } });
    const types = (await events).map(({ type }) => type);
    assert.deepEqual(types, ["ADDED", "MODIFIED", "DELETED", "ADDED"]);
    controller.abort();
  });

  contract("watch() without a resource version begins with what there is, and ends with its signal", async (client) => {
    const created = await client.create(configMaps, configMap(fresh("present")));
    const controller = new AbortController();
    const fieldSelector = `metadata.name=${created.metadata?.name}`;
    const seen: string[] = [];
    for await (const event of client.watch(configMaps, { namespace, fieldSelector, signal: controller.signal })) {
      if (event.type === "ERROR") assert.fail(event.object.message);
      seen.push(`${event.type} ${event.object.metadata?.name}`);
      controller.abort();
    }
    assert.deepEqual(seen, [`ADDED ${created.metadata?.name}`]);
  });

  contract("delete() waits for finalizers", async (client) => {
    const map = configMap(fresh("finalized"));
    const created = await client.create(configMaps, {
      ...map,
      metadata: { ...map.metadata, finalizers: ["example.com/hold"] },
    });
    const key = { namespace, name: created.metadata?.name ?? "" };
    await client.delete(configMaps, key);
    const held = await client.get(configMaps, key);
    assert.notEqual(held.metadata?.deletionTimestamp, undefined);
    await client.patch(configMaps, key, { type: "merge", body: { metadata: { finalizers: null } } });
    await assert.rejects(client.get(configMaps, key), hasReason("NotFound"));
  });

  contract("delete() of a pod on a node gives it time, a second one with grace 0 ends it", async (client) => {
    const created = await client.create(pods, pod(fresh("graceful"), "node-1"));
    const key = { namespace, name: created.metadata?.name ?? "" };
    await client.delete(pods, key);
    const stopping = await client.get(pods, key);
    assert.equal(stopping.metadata?.deletionGracePeriodSeconds, 30);
    await client.delete(pods, key, { gracePeriodSeconds: 0 });
    await assert.rejects(client.get(pods, key), hasReason("NotFound"));
  });

  contract("delete() checks the uid it is given", async (client) => {
    const created = await client.create(configMaps, configMap(fresh("precondition")));
    const key = { namespace, name: created.metadata?.name ?? "" };
    await assert.rejects(client.delete(configMaps, key, { preconditions: { uid: "other" } }), hasReason("Conflict"));
    await client.delete(configMaps, key, { preconditions: { uid: created.metadata?.uid ?? "" } });
  });

  contract("a binding places a pod once", async (client) => {
    const created = await client.create(pods, pod(fresh("bound")));
    const key = { namespace, name: created.metadata?.name ?? "" };
    const target = (node: string) => ({ metadata: { ...key }, target: { kind: "Node", name: node } });
    await client.createSubresource(pods, key, "binding", target("node-1"));
    assert.equal((await client.get(pods, key)).spec?.nodeName, "node-1");
    await assert.rejects(client.createSubresource(pods, key, "binding", target("node-2")), hasReason("Conflict"));
  });
}
