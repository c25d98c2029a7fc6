/** The first roles and bindings, when a server starts on a store that has been used. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { resources } from "../../src/api/resources.ts";
import { openSqliteStore } from "../../src/storage/index.ts";
import type { ObjectStore } from "../../src/storage/index.ts";
import type { TestServer } from "./api-server.ts";
import { startTestServer } from "./api-server.ts";

const autoupdate = "rbac.authorization.kubernetes.io/autoupdate";

test("a start mends the first roles and bindings, except what is marked", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "netloom-policy-"));
  const open = (): ObjectStore => openSqliteStore(join(folder, "objects.db"));
  let running: TestServer | undefined;
  context.after(async () => {
    await running?.close();
    rmSync(folder, { recursive: true });
  });
  const first = (running = await startTestServer({ store: open() }));
  const admin = first.server.client({ name: "root", groups: ["system:masters"] });
  const own = { apiGroups: ["example.com"], resources: ["widgets"], verbs: ["get"] };
  const strip = (name: string, annotations = {}): Promise<unknown> =>
    admin.patch(resources.clusterRoles, { name }, { type: "merge", body: { metadata: { annotations }, rules: [own] } });
  await strip("system:kube-dns");
  await strip("system:heapster", { [autoupdate]: "false" });
  await admin.delete(resources.clusterRoles, { name: "system:node-problem-detector" });
  await admin.delete(resources.clusterRoleBindings, { name: "system:discovery" });
  await admin.create(resources.clusterRoleBindings, {
    metadata: { name: "system:discovery" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "mallory" }],
  });
  await first.close();
  running = undefined;

  const second = (running = await startTestServer({ store: open(), defaultAccount: false }));
  const next = second.server.client({ name: "root", groups: ["system:masters"] });
  const rulesOf = async (name: string): Promise<readonly unknown[] | undefined> =>
    (await next.get(resources.clusterRoles, { name })).rules;
  // As upstream: what is missing comes one right at a time.
  const missing = ["endpoints", "services"].flatMap((resource) =>
    ["list", "watch"].map((verb) => ({ apiGroups: [""], resources: [resource], verbs: [verb] })),
  );
  assert.deepEqual(await rulesOf("system:kube-dns"), [own, ...missing]);
  assert.deepEqual(await rulesOf("system:heapster"), [own]);
  assert.equal((await rulesOf("system:node-problem-detector"))?.length, 3);
  const { roleRef, subjects } = await next.get(resources.clusterRoleBindings, { name: "system:discovery" });
  assert.equal(roleRef.name, "system:discovery");
  assert.deepEqual(
    subjects?.map(({ name }) => name),
    ["system:authenticated"],
  );
});
