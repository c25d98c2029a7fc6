import assert from "node:assert/strict";
import { test } from "node:test";
import { auditEvent, type AuditedRequest } from "./audit-event.ts";

const request: AuditedRequest = {
  auditId: "1",
  info: {
    isResource: true,
    verb: "create",
    group: "apps",
    version: "v1",
    resource: "deployments",
    subresource: "",
    namespace: "default",
    name: "web",
  },
  uri: "/apis/apps/v1/namespaces/default/deployments",
  receivedAtMs: Date.UTC(2026, 0, 1),
  sourceIps: ["127.0.0.1"],
  userAgent: "kubectl/v1.33",
  user: { name: "alice", groups: ["system:authenticated"] },
};
const end = { stage: "ResponseComplete", code: 201, atMs: Date.UTC(2026, 0, 1) + 5 } as const;

test("auditEvent() has upstream's form at the level Metadata", () => {
  assert.deepEqual(auditEvent(request, end), {
    kind: "Event",
    apiVersion: "audit.k8s.io/v1",
    level: "Metadata",
    auditID: "1",
    stage: "ResponseComplete",
    requestURI: "/apis/apps/v1/namespaces/default/deployments",
    verb: "create",
    user: { username: "alice", groups: ["system:authenticated"] },
    sourceIPs: ["127.0.0.1"],
    userAgent: "kubectl/v1.33",
    objectRef: { resource: "deployments", namespace: "default", name: "web", apiGroup: "apps", apiVersion: "v1" },
    responseStatus: { metadata: {}, code: 201 },
    requestReceivedTimestamp: "2026-01-01T00:00:00.000000Z",
    stageTimestamp: "2026-01-01T00:00:00.005000Z",
    annotations: { "authorization.k8s.io/decision": "allow" },
  });
});

test("auditEvent() tells why a request was refused, and who acted as whom", () => {
  const refused = {
    ...request,
    impersonated: { name: "bob", groups: [] },
    refusal: { reason: "Forbidden", message: "no" },
  };
  const event = auditEvent(refused, { ...end, code: 403 }) as Record<string, unknown>;
  assert.deepEqual(event["impersonatedUser"], { username: "bob", groups: [] });
  assert.deepEqual(event["responseStatus"], {
    metadata: {},
    status: "Failure",
    reason: "Forbidden",
    message: "no",
    code: 403,
  });
  assert.deepEqual(event["annotations"], { "authorization.k8s.io/decision": "forbid" });
});

test("auditEvent() of a request's beginning has no answer in it", () => {
  const event = auditEvent(request, { ...end, stage: "RequestReceived", code: 0 });
  assert.ok(!("responseStatus" in event) && !("annotations" in event));
});
