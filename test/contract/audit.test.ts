/** The audit log over the wire: a line per request, no bodies. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { resources } from "../../src/api/resources.ts";
import { createHttpsClient } from "../../src/client/index.ts";
import { readKubeconfig } from "../../src/machinery/kubeconfig/index.ts";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startTestServer } from "./api-server.ts";

interface AuditEvent {
  readonly stage: string;
  readonly verb: string;
  readonly requestURI: string;
  readonly user: { readonly username?: string };
  readonly objectRef?: { readonly resource?: string; readonly name?: string };
  readonly responseStatus?: { readonly code: number; readonly reason?: string };
}

test("every request over HTTPS and in process is written down, without what it carried", async () => {
  const lines: string[] = [];
  const server = await startTestServer({ writeAudit: (line) => lines.push(line) });
  const folder = mkdtempSync(join(tmpdir(), "nl-audit-"));
  try {
    const asUser = async (kubeconfig: string) => {
      const path = join(folder, "kubeconfig");
      writeFileSync(path, kubeconfig);
      return createHttpsClient(await readKubeconfig(path));
    };
    const admin = await asUser(server.kubeconfig);
    const secret = { metadata: { name: "login", namespace: "default" }, stringData: { password: "hunter2" } };
    await admin.create(resources.secrets, secret);
    const stop = new AbortController();
    for await (const event of admin.watch(resources.secrets, { namespace: "default", signal: stop.signal })) {
      assert.equal(event.type, "ADDED");
      stop.abort();
    }
    admin.close();
    const stranger = await asUser(server.kubeconfigFor("eve", ["nobody"]));
    await assert.rejects(stranger.get(resources.secrets, { namespace: "default", name: "login" }), /forbidden/);
    stranger.close();
  } finally {
    await server.close();
    rmSync(folder, { recursive: true });
  }
  const events = lines.map((line) => JSON.parse(line) as AuditEvent);
  const find = (verb: string, stage = "ResponseComplete", name = "secrets"): AuditEvent | undefined =>
    events.find((event) => event.verb === verb && event.stage === stage && event.objectRef?.resource === name);
  assert.equal(find("create")?.responseStatus?.code, 201);
  assert.equal(find("create")?.user.username, "kubernetes-admin");
  assert.match(find("watch", "RequestReceived")?.requestURI ?? "", /^\/api\/v1\/namespaces\/default\/secrets\?/);
  assert.equal(find("watch")?.responseStatus?.code, 200);
  assert.deepEqual(find("get")?.responseStatus?.code, 403);
  assert.equal(find("get")?.responseStatus?.reason, "Forbidden");
  assert.equal(find("get")?.user.username, "eve");
  // Made in process, as controllers do.
  assert.equal(find("create", "ResponseComplete", "serviceaccounts")?.responseStatus?.code, 201);
  assert.doesNotMatch(lines.join("\n"), /hunter2|aHVudGVyMg/);
});
