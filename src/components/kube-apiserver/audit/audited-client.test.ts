import assert from "node:assert/strict";
import { test } from "node:test";
import { resources } from "../../../api/resources.ts";
import { createFakeApiClient } from "../../../client/index.ts";
import { FakeClock } from "../../../machinery/fake-clock.ts";
import { auditedClient, createAuditTrail } from "./index.ts";

interface Line {
  readonly stage: string;
  readonly verb: string;
  readonly requestURI: string;
  readonly responseStatus?: { readonly code: number; readonly reason?: string };
}

test("auditedClient() writes down every call, and a watch whose reader stops early", async () => {
  const lines: Line[] = [];
  const trail = createAuditTrail({ write: (line) => lines.push(JSON.parse(line) as Line), clock: new FakeClock() });
  const fake = createFakeApiClient();
  const client = auditedClient(() => fake, { user: { name: "a", groups: [] }, trail });
  const key = { namespace: "default", name: "web" };
  await client.create(resources.configMaps, { metadata: key });
  await client.get(resources.configMaps, key);
  await assert.rejects(client.get(resources.configMaps, { ...key, name: "none" }));
  for await (const event of client.watch(resources.configMaps, { signal: new AbortController().signal })) {
    assert.equal(event.type, "ADDED");
    break;
  }
  await client.delete(resources.configMaps, key);
  const uri = "/api/v1/namespaces/default/configmaps";
  assert.deepEqual(
    lines.map(({ stage, verb, requestURI, responseStatus }) => [stage, verb, requestURI, responseStatus?.code]),
    [
      ["ResponseComplete", "create", uri, 201],
      ["ResponseComplete", "get", `${uri}/web`, 200],
      ["ResponseComplete", "get", `${uri}/none`, 404],
      ["RequestReceived", "watch", "/api/v1/configmaps", undefined],
      ["ResponseComplete", "watch", "/api/v1/configmaps", 200],
      ["ResponseComplete", "delete", `${uri}/web`, 200],
    ],
  );
});
