import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { firstClusterBindings, firstClusterRoles, namespaceBindings, namespaceRoles } from "./index.ts";
import { upstreamDigests } from "./upstream-digests.ts";

interface Policy {
  readonly metadata?: { readonly name?: string; readonly namespace?: string };
  readonly rules?: unknown;
  readonly aggregationRule?: unknown;
}

/** The same for the same content, however its keys are ordered. */
function digest(object: Policy): string {
  // What an aggregated role is made of is the others' rules, told apart from this.
  const told = object.aggregationRule === undefined ? object : { ...object, rules: undefined };
  const sorted = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map((item: unknown) => sorted(item));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, item]) => [key, sorted(item)]),
    );
  };
  return createHash("sha256")
    .update(JSON.stringify(sorted(told)))
    .digest("hex")
    .slice(0, 12);
}

const digests = (objects: readonly Policy[]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    objects.map((object) => {
      const { namespace, name = "" } = object.metadata ?? {};
      return [namespace === undefined ? name : `${namespace}/${name}`, digest(object)];
    }),
  );

/** Set-up tools make it upstream; here nobody else would. */
const ofSetUp = "kubeadm:node-autoapprove-certificate-rotation";

const lists: Readonly<Record<keyof typeof upstreamDigests, readonly Policy[]>> = {
  clusterRoles: firstClusterRoles(),
  clusterBindings: firstClusterBindings.filter(({ metadata }) => metadata?.name !== ofSetUp),
  namespaceRoles,
  namespaceBindings,
};
for (const [name, expected] of Object.entries(upstreamDigests)) {
  test(`the first ${name} are upstream's by name, label, rule and subject`, () => {
    assert.deepEqual(digests(lists[name as keyof typeof upstreamDigests]), expected);
  });
}
