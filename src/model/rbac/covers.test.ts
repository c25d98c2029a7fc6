import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClusterRole, ClusterRoleBinding, PolicyRule } from "../../api/generated/types.ts";
import {
  aggregatedRules,
  compactRules,
  isBindingOfAnotherRole,
  missingRules,
  reconciledBinding,
  reconciledRole,
  ruleText,
} from "./index.ts";

const rule = (apiGroups: readonly string[], kinds: readonly string[], verbs: readonly string[]): PolicyRule => ({
  apiGroups,
  resources: kinds,
  verbs,
});

const cases: readonly (readonly [string, readonly PolicyRule[], readonly PolicyRule[], readonly string[]])[] = [
  ["the same", [rule([""], ["pods"], ["get"])], [rule([""], ["pods"], ["get"])], []],
  ["everything", [rule(["*"], ["*"], ["*"])], [rule(["apps"], ["deployments/scale"], ["patch"])], []],
  [
    "parts of two rules",
    [rule([""], ["pods"], ["get"]), rule([""], ["pods"], ["list"])],
    [rule([""], ["pods"], ["get", "list"])],
    [],
  ],
  [
    "one verb too many",
    [rule([""], ["pods"], ["get"])],
    [rule([""], ["pods"], ["get", "list"])],
    ['{APIGroups:[""], Resources:["pods"], Verbs:["list"]}'],
  ],
  [
    "a subresource",
    [rule([""], ["pods"], ["get"])],
    [rule([""], ["pods/log"], ["get"])],
    ['{APIGroups:[""], Resources:["pods/log"], Verbs:["get"]}'],
  ],
  [
    "the subresource of all",
    [rule(["apps"], ["*/scale"], ["get"])],
    [rule(["apps"], ["deployments/scale"], ["get"])],
    [],
  ],
  [
    "a wildcard that is not held",
    [rule([""], ["pods"], ["get"])],
    [rule([""], ["*"], ["get"])],
    ['{APIGroups:[""], Resources:["*"], Verbs:["get"]}'],
  ],
  [
    "a name where another is held",
    [{ ...rule([""], ["pods"], ["get"]), resourceNames: ["a"] }],
    [{ ...rule([""], ["pods"], ["get"]), resourceNames: ["a", "b"] }],
    ['{APIGroups:[""], Resources:["pods"], ResourceNames:["b"], Verbs:["get"]}'],
  ],
  [
    "all names where one is held",
    [{ ...rule([""], ["pods"], ["get"]), resourceNames: ["a"] }],
    [rule([""], ["pods"], ["get"])],
    ['{APIGroups:[""], Resources:["pods"], Verbs:["get"]}'],
  ],
  [
    "a path below a wildcard",
    [{ nonResourceURLs: ["/logs/*"], verbs: ["get"] }],
    [{ nonResourceURLs: ["/logs/a"], verbs: ["get"] }],
    [],
  ],
  [
    "a path that is not held",
    [{ nonResourceURLs: ["/logs"], verbs: ["get"] }],
    [{ nonResourceURLs: ["/metrics"], verbs: ["get"] }],
    ['{NonResourceURLs:["/metrics"], Verbs:["get"]}'],
  ],
];
for (const [name, owned, wanted, expected] of cases) {
  test(`missingRules() with ${name}`, () => {
    assert.deepEqual(compactRules(missingRules(owned, wanted)).map(ruleText), expected);
  });
}

const role = (name: string, labels: Readonly<Record<string, string>>, rules: readonly PolicyRule[]): ClusterRole => ({
  metadata: { name, labels },
  rules,
});

test("aggregatedRules() takes each rule of each selected role once, by the roles' names", () => {
  const pods = rule([""], ["pods"], ["get"]);
  const nodes = rule([""], ["nodes"], ["get"]);
  const whole: ClusterRole = {
    ...role("whole", { part: "yes" }, [rule(["*"], ["*"], ["*"])]),
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: { part: "yes" } }] },
  };
  const all = [
    role("b", { part: "yes" }, [nodes, pods]),
    role("a", { part: "yes" }, [pods]),
    role("c", {}, [rule(["x"], ["y"], ["z"])]),
    whole,
  ];
  assert.deepEqual(aggregatedRules(whole, all), [pods, nodes]);
});

test("reconciledRole() adds what is missing, keeps what users added, and leaves alone what is marked", () => {
  const pods = rule([""], ["pods"], ["get"]);
  const own = rule(["example.com"], ["widgets"], ["get"]);
  const expected = role("r", { "kubernetes.io/bootstrapping": "rbac-defaults" }, [pods]);
  const stored = role("r", { "kubernetes.io/bootstrapping": "rbac-defaults" }, [own]);
  assert.deepEqual(reconciledRole(stored, expected).rules, [own, pods]);
  const whole = { ...stored, rules: [own, pods] };
  assert.equal(reconciledRole(whole, expected), whole);
  const marked = {
    ...stored,
    metadata: { ...stored.metadata, annotations: { "rbac.authorization.kubernetes.io/autoupdate": "false" } },
  };
  assert.equal(reconciledRole(marked, expected), marked);
});

test("reconciledRole() keeps what users wrote at its labels and annotations", () => {
  const key = "kubernetes.io/bootstrapping";
  const stored = role("r", { [key]: "mine" }, []);
  assert.equal(reconciledRole(stored, role("r", { [key]: "rbac-defaults" }, [])), stored);
  assert.deepEqual(reconciledRole(stored, role("r", { other: "yes" }, [])).metadata?.labels, {
    [key]: "mine",
    other: "yes",
  });
});

test("reconciledRole() adds the selectors that are missing, and takes aggregation from a role that has none", () => {
  const select = (name: string) => ({ matchLabels: { [name]: "yes" } });
  const stored: ClusterRole = { ...role("r", {}, []), aggregationRule: { clusterRoleSelectors: [select("mine")] } };
  const expected: ClusterRole = { ...role("r", {}, []), aggregationRule: { clusterRoleSelectors: [select("first")] } };
  assert.deepEqual(reconciledRole(stored, expected).aggregationRule?.clusterRoleSelectors, [
    select("mine"),
    select("first"),
  ]);
  assert.equal(reconciledRole(stored, role("r", {}, [])).aggregationRule, undefined);
});

test("reconciledBinding() adds missing subjects; one of another role is to be replaced, unless it is marked", () => {
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" };
  const subject = (name: string) => ({ kind: "User", name });
  const expected = { roleRef, subjects: [subject("a")] };
  const stored = { roleRef, subjects: [subject("b")] };
  assert.deepEqual(reconciledBinding(stored, expected).subjects, [subject("b"), subject("a")]);
  assert.equal(isBindingOfAnotherRole(stored, expected), false);
  const other: ClusterRoleBinding = { roleRef: { ...roleRef, name: "edit" } };
  assert.equal(isBindingOfAnotherRole(other, expected), true);
  const annotations = { "rbac.authorization.kubernetes.io/autoupdate": "false" };
  assert.equal(isBindingOfAnotherRole<ClusterRoleBinding>({ ...other, metadata: { annotations } }, expected), false);
});
