import assert from "node:assert/strict";
import { test } from "node:test";
import { ruleAllows, subjectMatches } from "./index.ts";

const pods = { apiGroups: [""], resources: ["pods"], verbs: ["get", "list"] };
const ask = (verb: string, resource: string, name = "", group = "") => ({ verb, group, resource, name });

const cases: readonly (readonly [
  string,
  Parameters<typeof ruleAllows>[0],
  Parameters<typeof ruleAllows>[1],
  boolean,
])[] = [
  ["a listed verb and resource", pods, ask("get", "pods", "a"), true],
  ["another verb", pods, ask("delete", "pods", "a"), false],
  ["another group", pods, ask("get", "pods", "a", "apps"), false],
  ["a subresource is not its resource", pods, ask("get", "pods/log", "a"), false],
  ["everything", { apiGroups: ["*"], resources: ["*"], verbs: ["*"] }, ask("create", "pods/exec", "a"), true],
  [
    "the subresource of every resource",
    { ...pods, resources: ["*/scale"] },
    ask("get", "deployments/scale", "a"),
    true,
  ],
  ["a named object", { ...pods, resourceNames: ["a"] }, ask("get", "pods", "a"), true],
  ["another object than the named", { ...pods, resourceNames: ["a"] }, ask("get", "pods", "b"), false],
  ["a list, where objects are named", { ...pods, resourceNames: ["a"] }, ask("list", "pods"), false],
  ["a path", { nonResourceURLs: ["/metrics"], verbs: ["get"] }, { verb: "get", path: "/metrics" }, true],
  ["a path below", { nonResourceURLs: ["/logs/*"], verbs: ["get"] }, { verb: "get", path: "/logs/x" }, true],
  ["another path", { nonResourceURLs: ["/metrics"], verbs: ["get"] }, { verb: "get", path: "/metricsx" }, false],
];
for (const [name, rule, request, expected] of cases) {
  test(`ruleAllows() with ${name}: ${expected}`, () => assert.equal(ruleAllows(rule, request), expected));
}

test("subjectMatches() knows users, groups and service accounts", () => {
  const dns = { name: "system:serviceaccount:kube-system:coredns", groups: ["system:serviceaccounts"] };
  assert.equal(subjectMatches({ kind: "ServiceAccount", name: "coredns", namespace: "kube-system" }, dns), true);
  assert.equal(subjectMatches({ kind: "ServiceAccount", name: "coredns", namespace: "default" }, dns), false);
  assert.equal(subjectMatches({ kind: "Group", name: "system:serviceaccounts" }, dns), true);
  assert.equal(subjectMatches({ kind: "User", name: dns.name }, dns), true);
  assert.equal(subjectMatches({ kind: "Robot", name: dns.name }, dns), false);
});
