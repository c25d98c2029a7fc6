import { writeFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { resources } from "../../src/api/resources.ts";
import { ApiError } from "../../src/api/status.ts";
import { ConnectionError, createHttpsClient } from "../../src/client/index.ts";
import type { ApiClient, HttpsApiClient } from "../../src/client/index.ts";
import { readKubeconfig } from "../../src/machinery/kubeconfig/index.ts";
import { testApiClient } from "./api-client.ts";
import { startTestServer } from "./api-server.ts";
import type { TestServer } from "./api-server.ts";

let started: TestServer | undefined;
let https: HttpsApiClient | undefined;
let inProcess: ApiClient | undefined;
const folder = mkdtempSync(join(tmpdir(), "netloom-clients-"));

async function clientOf(kubeconfig: string): Promise<HttpsApiClient> {
  const path = join(folder, "kubeconfig");
  writeFileSync(path, kubeconfig, { mode: 0o600 });
  return createHttpsClient(await readKubeconfig(path));
}

function given<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the test server did not start");
  return value;
}

before(async () => {
  started = await startTestServer();
  https = await clientOf(started.kubeconfig);
  inProcess = started.server.client({ name: "kubernetes-admin", groups: ["system:masters"] });
});

after(async () => {
  https?.close();
  await started?.close();
  rmSync(folder, { recursive: true });
});

testApiClient("HTTPS client", () => given(https));
testApiClient("in-process client", () => given(inProcess));

test("HTTPS client: a certificate without rights gets upstream's Forbidden", async () => {
  const client = await clientOf(given(started).kubeconfigFor("jane", ["developers"]));
  await assert.rejects(client.list(resources.pods, { namespace: "default" }), (error) => {
    assert.ok(error instanceof ApiError);
    assert.equal(
      error.message,
      'pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "default"',
    );
    return error.code === 403;
  });
  client.close();
});

test("in-process client: a user without rights is refused as over HTTPS", async () => {
  const client = given(started).server.client({ name: "jane", groups: [] });
  await assert.rejects(client.list(resources.pods), ApiError);
});

test("HTTPS client: a server that is not there is a ConnectionError, and so is a watch whose server ends", async () => {
  const other = await startTestServer();
  const client = await clientOf(other.kubeconfig);
  const list = await client.list(resources.pods);
  const signal = new AbortController().signal;
  const watched = (async () => {
    const from = list.metadata?.resourceVersion ?? "";
    for await (const event of client.watch(resources.pods, { signal, resourceVersion: from })) {
      assert.fail(`no event was expected, there came ${event.type}`);
    }
  })();
  // Opening a second stream after the first: the watch is under way when this is answered.
  await client.list(resources.pods);
  await other.close();
  await watched.catch((error: unknown) => assert.ok(error instanceof ConnectionError));
  await assert.rejects(client.list(resources.pods), ConnectionError);
  client.close();
});
