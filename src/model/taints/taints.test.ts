import assert from "node:assert/strict";
import { test } from "node:test";
import type { Taint, Toleration } from "../../api/generated/types.ts";
import { evictionTimeMs, tolerates } from "./index.ts";

const taint: Taint = { key: "dedicated", value: "db", effect: "NoSchedule" };
const table: readonly { readonly toleration: Toleration; readonly expected: boolean }[] = [
  { toleration: { key: "dedicated", operator: "Equal", value: "db", effect: "NoSchedule" }, expected: true },
  { toleration: { key: "dedicated", value: "db" }, expected: true },
  { toleration: { key: "dedicated", value: "web" }, expected: false },
  { toleration: { key: "dedicated", operator: "Exists" }, expected: true },
  { toleration: { key: "dedicated", operator: "Exists", effect: "NoExecute" }, expected: false },
  { toleration: { operator: "Exists" }, expected: true },
  { toleration: { key: "other", operator: "Exists" }, expected: false },
  { toleration: { value: "db" }, expected: false },
];

for (const { toleration, expected } of table) {
  test(`tolerates() ${JSON.stringify(toleration)}: ${expected}`, () => {
    assert.equal(tolerates(toleration, taint), expected);
  });
}

const lost: Taint = { key: "lost", effect: "NoExecute", timeAdded: "2026-11-20T08:00:00Z" };
const at = Date.parse("2026-11-20T08:00:00Z");
const evictions: readonly {
  readonly name: string;
  readonly tolerations: readonly Toleration[];
  readonly taints?: readonly Taint[];
  readonly expected: number | undefined;
}[] = [
  { name: "at once where it is not tolerated", tolerations: [], expected: at },
  { name: "never where it is tolerated for ever", tolerations: [{ operator: "Exists" }], expected: undefined },
  {
    name: "after the tolerated time",
    tolerations: [{ key: "lost", operator: "Exists", tolerationSeconds: 300 }],
    expected: at + 300_000,
  },
  {
    name: "after the shortest of several",
    tolerations: [
      { key: "lost", operator: "Exists", tolerationSeconds: 300 },
      { operator: "Exists", tolerationSeconds: 60 },
    ],
    expected: at + 60_000,
  },
  { name: "not for a taint that only keeps pods off", tolerations: [], taints: [taint], expected: undefined },
];

for (const { name, tolerations, taints = [lost], expected } of evictions) {
  test(`evictionTimeMs() ${name}`, () => {
    const pod = { metadata: { creationTimestamp: "2026-11-20T07:00:00Z" }, spec: { containers: [], tolerations } };
    assert.equal(evictionTimeMs(pod, taints), expected);
  });
}
