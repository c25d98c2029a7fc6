/** FlowSchemas and priority levels: upstream's first ones, what users make of them, and what the server tells of them. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { FlowSchema } from "../../src/api/generated/types.ts";
import { resources } from "../../src/api/resources.ts";
import { ApiError } from "../../src/api/status.ts";
import type { ApiClient } from "../../src/client/index.ts";
import { keepFlowControl } from "../../src/components/kube-apiserver/flow-control/index.ts";
import { startTestServer } from "./api-server.ts";
import type { TestServer } from "./api-server.ts";
import { eventually } from "./eventually.ts";
import { httpCaller } from "./http-call.ts";
import type { Caller } from "./http-call.ts";

const base = "/apis/flowcontrol.apiserver.k8s.io/v1";
let started: TestServer | undefined;
let admin: ApiClient;
let call: Caller;

before(async () => {
  started = await startTestServer();
  admin = started.server.client({ name: "root", groups: ["system:masters"] });
  call = httpCaller(started);
});
after(async () => {
  await started?.close();
});

async function cellsOf(plural: string): Promise<readonly (readonly unknown[])[]> {
  const accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
  const { json } = await call(`${base}/${plural}`, { headers: { accept } });
  return (json as { rows: { cells: unknown[] }[] }).rows.map(({ cells }) => cells);
}

const danglingOf = (name: string, wanted: string): Promise<FlowSchema> =>
  eventually(`${name} is Dangling=${wanted}`, async () => {
    const schema = await admin.get(resources.flowSchemas, { name });
    const isSo = schema.status?.conditions?.some(({ type, status }) => type === "Dangling" && status === wanted);
    return isSo === true && schema;
  });

const rules = [
  {
    subjects: [{ kind: "User", user: { name: "jane" } }],
    nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }],
  },
];

test("upstream's first objects are there, schemas in the order in which they match", async () => {
  for (const name of ["exempt", "global-default"]) await danglingOf(name, "False");
  const schemas = await cellsOf("flowschemas");
  assert.deepEqual(
    schemas.map(([name, level, precedence]) => `${String(name)} ${String(level)} ${String(precedence)}`),
    [
      "exempt exempt 1",
      "probes exempt 2",
      "system-leader-election leader-election 100",
      "system-node-high node-high 400",
      "system-nodes system 500",
      "kube-controller-manager workload-high 800",
      "kube-scheduler workload-high 800",
      "kube-system-service-accounts workload-high 900",
      "service-accounts workload-low 9000",
      "global-default global-default 9900",
      "catch-all catch-all 10000",
    ],
  );
  assert.equal(schemas[0]?.[5], "False");
  const levels = await cellsOf("prioritylevelconfigurations");
  assert.deepEqual(
    levels.map((cells) => cells.slice(0, 6).join(" ")),
    [
      "catch-all Limited 5 <none> <none> <none>",
      "exempt Exempt <none> <none> <none> <none>",
      "global-default Limited 20 128 6 50",
      "leader-election Limited 10 16 4 50",
      "node-high Limited 40 64 6 50",
      "system Limited 30 64 6 50",
      "workload-high Limited 40 128 6 50",
      "workload-low Limited 100 128 6 50",
    ],
  );
  const { metadata } = await admin.get(resources.flowSchemas, { name: "probes" });
  assert.deepEqual(metadata?.annotations, { "apf.kubernetes.io/autoupdate-spec": "true" });
  assert.equal(metadata?.generation, 1);
});

test("a FlowSchema tells whether its level is there, when that comes and when it goes", async () => {
  const spec = { priorityLevelConfiguration: { name: "mine" }, rules };
  const made = await admin.create(resources.flowSchemas, { metadata: { name: "jane" }, spec });
  assert.equal(made.spec?.matchingPrecedence, 1000);
  await danglingOf("jane", "True");
  const limited = { nominalConcurrencyShares: 2, limitResponse: { type: "Reject" } };
  await admin.create(resources.priorityLevelConfigurations, {
    metadata: { name: "mine" },
    spec: { type: "Limited", limited },
  });
  await danglingOf("jane", "False");
  await admin.delete(resources.priorityLevelConfigurations, { name: "mine" });
  const last = await danglingOf("jane", "True");
  assert.equal(last.metadata?.generation, 1);
});

test("the status is written through its subresource only, one condition of a type", async () => {
  const path = `${base}/prioritylevelconfigurations/system`;
  const headers = { "content-type": "application/merge-patch+json" };
  const conditions = [{ type: "Odd", status: "True" }];
  const patch = async (suffix: string, status: object) =>
    await call(`${path}${suffix}`, { method: "PATCH", headers, body: { status } });
  const ignored = await patch("", { conditions });
  assert.deepEqual((ignored.json as { status?: object }).status ?? {}, {});
  const written = await patch("/status", { conditions });
  assert.deepEqual((written.json as { status: object }).status, { conditions });
  const refused = await patch("/status", { conditions: [...conditions, ...conditions, { status: "True" }] });
  assert.equal(refused.code, 422);
  assert.match(refused.text, /status.conditions\[1\].type: Duplicate value/);
  assert.match(refused.text, /status.conditions\[2\].type: Required value/);
});

test("the mandatory specs are refused when they change, and objects that are gone come back, those of old go", async () => {
  const invalid = (error: unknown): boolean =>
    error instanceof ApiError &&
    error.code === 422 &&
    error.message.endsWith("spec of 'catch-all' must equal the fixed value");
  const body = { spec: { matchingPrecedence: 9999 } };
  await assert.rejects(admin.patch(resources.flowSchemas, { name: "catch-all" }, { type: "merge", body }), invalid);
  const lends = { spec: { exempt: { lendablePercent: 50 } } };
  const exempt = { name: "exempt" };
  await admin.patch(resources.priorityLevelConfigurations, exempt, { type: "merge", body: lends });
  await admin.delete(resources.flowSchemas, { name: "catch-all" });
  const metadata = { name: "of-old", annotations: { "apf.kubernetes.io/autoupdate-spec": "true" } };
  await admin.create(resources.flowSchemas, {
    metadata,
    spec: { priorityLevelConfiguration: { name: "system" }, rules },
  });
  await keepFlowControl(admin);
  const { items } = await admin.list(resources.flowSchemas);
  const names = items.map((item) => item.metadata?.name);
  assert.ok(names.includes("catch-all"));
  assert.ok(!names.includes("of-old"));
  assert.ok(names.includes("jane"));
  const { spec } = await admin.get(resources.priorityLevelConfigurations, exempt);
  assert.equal(spec?.exempt?.lendablePercent, 50);
});
