/**
 * An API server is killed under load, again and again, while clients write and watch: they reconnect, nothing that was
 * acknowledged is lost, and no watcher misses or repeats an event. NETLOOM_API_KILLS says how often (10).
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { ConfigMap, ObjectMeta } from "../../src/api/generated/types.ts";
import { resources } from "../../src/api/resources.ts";
import { ApiError } from "../../src/api/status.ts";
import { createHttpsClient, type HttpsApiClient } from "../../src/client/index.ts";
import { systemClock } from "../../src/machinery/clock.ts";
import { kubeconfigText, readKubeconfig } from "../../src/machinery/kubeconfig/index.ts";
import { createClusterPki } from "../../src/machinery/pki/index.ts";
import { exampleCluster } from "../../src/model/cluster-plan/index.ts";
import { patience } from "../patience.ts";

const kills = Number(process.env["NETLOOM_API_KILLS"] ?? "10");
const writers = 16;
const watchers = 4;
const namespace = "default";
const folder = mkdtempSync(join(tmpdir(), "netloom-crash-"));
after(() => rmSync(folder, { recursive: true }));

/** One that is free, and that the kernel gives to no connection while the server is away. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 30_000);
    const server = createServer().listen(port, "127.0.0.1");
    const isFree = await once(server, "listening").then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    server.close();
    await once(server, "close");
    return port;
  }
}

async function clientFor(port: number): Promise<HttpsApiClient> {
  const pki = createClusterPki({ config: exampleCluster(folder, { nodes: [] }), clock: systemClock });
  const user = "kubernetes-admin";
  const pair = pki.issue({ commonName: user, organizations: ["system:masters"], usage: "client", validDays: 1 });
  const server = `https://127.0.0.1:${port}`;
  const file = join(folder, "client.conf");
  writeFileSync(file, kubeconfigText({ cluster: "test", user, server, ca: pki.caCertificate, ...pair }));
  return createHttpsClient(await readKubeconfig(file));
}

/** How far a writer has come: each count was written once. */
interface Progress {
  readonly count: number;
  readonly revision: number;
}

const progressOf = ({ metadata, data }: ConfigMap): Progress => ({
  count: Number(data?.["count"]),
  revision: Number(metadata?.resourceVersion),
});

/** Counts in an object of its own until it is stopped; resolves with the last count that was acknowledged, or read. */
async function write(client: HttpsApiClient, name: string, signal: AbortSignal): Promise<Progress> {
  let known: Progress = { count: -1, revision: 0 };
  while (!signal.aborted) {
    const isNew = known.count < 0;
    const body: ConfigMap = {
      metadata: { name, namespace, ...(isNew ? {} : { resourceVersion: `${known.revision}` }) },
      data: { count: `${known.count + 1}` },
    };
    try {
      const answer = await (isNew
        ? client.create(resources.configMaps, body)
        : client.update(resources.configMaps, body));
      const { revision, count } = progressOf(answer);
      assert.ok(revision > known.revision, `${name}: revision ${revision} after ${known.revision}`);
      known = { revision, count };
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      // Not acknowledged, and perhaps written all the same.
      known = await read(client, name, known);
    }
  }
  return known;
}

/** Asks until somebody answers: the last write may be there; those before it must. */
async function read(client: HttpsApiClient, name: string, known: Progress): Promise<Progress> {
  for (;;) {
    try {
      const found = progressOf(await client.get(resources.configMaps, { namespace, name }));
      assert.ok([known.count, known.count + 1].includes(found.count), `${name}: ${found.count} after ${known.count}`);
      return found;
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      if (error instanceof ApiError && error.code === 404) {
        assert.equal(known.count, -1, `${name} is gone`);
        return known;
      }
      await sleep(10);
    }
  }
}

/** Watches from the first version on, over any number of broken connections; notes the counts it hears of each object. */
async function follow(
  client: HttpsApiClient,
  counts: Map<string, number[]>,
  from: { readonly resourceVersion: string; readonly signal: AbortSignal },
): Promise<void> {
  let revision = Number(from.resourceVersion);
  while (!from.signal.aborted) {
    try {
      const resourceVersion = `${revision}`;
      const { signal } = from;
      for await (const { type, object } of client.watch(resources.configMaps, { namespace, resourceVersion, signal })) {
        assert.notEqual(type, "ERROR", JSON.stringify(object));
        const progress = progressOf(object);
        assert.ok(progress.revision > revision, `event ${progress.revision} after ${revision}`);
        ({ revision } = progress);
        const { name = "" } = object.metadata as ObjectMeta;
        if (!name.startsWith("written-")) continue;
        const heard = counts.get(name) ?? [];
        heard.push(progress.count);
        counts.set(name, heard);
      }
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
    }
    await sleep(10);
  }
}

function startServer(port: number) {
  return spawn(process.execPath, [join(import.meta.dirname, "api-server-victim.ts"), folder, `${port}`], {
    stdio: ["ignore", "inherit", "inherit"],
  });
}

async function untilReady(client: HttpsApiClient): Promise<void> {
  for (;;) {
    try {
      await client.get(resources.namespaces, { name: namespace });
      return;
    } catch {
      await sleep(20);
    }
  }
}

test(
  `an API server killed under load ${kills} times loses no write, and its watchers miss nothing`,
  {
    timeout: (60_000 + kills * 10_000) * patience,
  },
  async () => {
    const port = await freePort();
    const client = await clientFor(port);
    const stop = new AbortController();
    const stopWriting = new AbortController();
    let server = startServer(port);
    try {
      await untilReady(client);
      const { metadata } = await client.list(resources.configMaps, { namespace });
      const from = { resourceVersion: metadata?.resourceVersion ?? "", signal: stop.signal };
      const heard = Array.from({ length: watchers }, () => new Map<string, number[]>());
      const watching = heard.map((counts) => follow(client, counts, from));
      const names = Array.from({ length: writers }, (_, index) => `written-${index}`);
      const writing = names.map((name) => write(client, name, stopWriting.signal));
      const failed = Promise.all([...watching, ...writing]);
      failed.catch(() => undefined);
      for (let kill = 0; kill < kills; kill += 1) {
        // While it starts, too.
        if (kill % 4 !== 3) await Promise.race([untilReady(client), failed]);
        await Promise.race([sleep(randomInt(1, 300)), failed]);
        assert.equal(server.exitCode, null, "the server ended by itself");
        const ended = once(server, "close");
        server.kill("SIGKILL");
        await ended;
        server = startServer(port);
      }
      await Promise.race([untilReady(client), failed]);
      stopWriting.abort();
      const progress = await Promise.all(writing);
      const { items } = await client.list(resources.configMaps, { namespace });
      const stored = new Map(items.map((item) => [item.metadata?.name ?? "", progressOf(item)]));
      assert.deepEqual(
        names.map((name) => stored.get(name)),
        progress,
      );
      const total = progress.reduce((sum, { count }) => sum + count, 0);
      assert.ok(total > writers, `${total} writes`);
      for (const counts of heard) {
        for (const [index, name] of names.entries()) {
          const expected = Array.from({ length: (progress[index]?.count ?? -1) + 1 }, (_, count) => count);
          // The last events may be on their way.
          for (const until = performance.now() + 5000 * patience; performance.now() < until;) {
            if ((counts.get(name)?.length ?? 0) >= expected.length) break;
            await sleep(10);
          }
          assert.deepEqual(counts.get(name), expected, name);
        }
      }
      stop.abort();
      await Promise.all(watching);
    } finally {
      stop.abort();
      stopWriting.abort();
      server.kill("SIGKILL");
      client.close();
    }
  },
);
