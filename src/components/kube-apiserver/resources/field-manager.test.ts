import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldManagerOf } from "./field-manager.ts";

test("fieldManagerOf() takes the wanted name, else the client's, else the component's", () => {
  const cases: readonly (readonly [string, string, string, string])[] = [
    ["me", "kubectl/v1.33.0 (linux/amd64)", "admin", "me"],
    ["", "kubectl/v1.33.0 (linux/amd64)", "admin", "kubectl"],
    ["", "netloom", "system:node:node-1", "kubelet"],
    ["", "", "system:kube-scheduler", "kube-scheduler"],
    ["", "", "system:serviceaccount:kube-system:deployment-controller", "kube-controller-manager"],
    ["", "", "system:apiserver", "kube-apiserver"],
    ["", "odd\u0007client/1", "admin", "oddclient"],
  ];
  for (const [wanted, userAgent, name, expected] of cases) {
    assert.equal(fieldManagerOf({ name, groups: [] }, { wanted, userAgent }), expected, `${userAgent} ${name}`);
  }
  assert.equal(fieldManagerOf({ name: "a", groups: [] }, { wanted: "", userAgent: "x".repeat(500) }).length, 128);
});
