import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { KubernetesObject } from "../object.ts";
import { encodeFields } from "./fields-v1.ts";
import { nobody } from "./managed.ts";
import { fieldsOfNew } from "./new-fields.ts";
import type { Subject } from "./subject.ts";
import { passOn } from "./track.ts";

/** What the way of all changes finds, from nothing to the object. */
function fieldsOfChange(subject: Subject, object: KubernetesObject): object | undefined {
  const change = { before: {}, after: object };
  const [owner] = passOn(subject, change, nobody, { name: "test", now: "2026-11-20T12:00:00Z" }).values();
  return owner === undefined ? undefined : encodeFields(owner.fields);
}

function subjectOf(type: string, hasStatus = true): Subject {
  return { type, apiVersion: "v1", subresource: "", hasStatus, inVersion: () => undefined };
}

const text = fc.constantFrom("a", "b", 'a"b', "__proto__");
const some = fc.oneof(text, fc.integer({ min: 0, max: 3 }), fc.constant(null), fc.constant({}), fc.constant([]));
const map = fc.dictionary(text, some, { maxKeys: 3 });
const listOf = (item: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> => fc.oneof(fc.array(item, { maxLength: 3 }), some);
const part = (fields: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 5, arbitrary: fc.record(fields, { requiredKeys: [] }) }, { weight: 1, arbitrary: some });

const container = part({
  name: some,
  image: text,
  ports: listOf(part({ containerPort: some, protocol: text })),
  env: listOf(part({ name: some, value: text })),
  resources: part({ limits: map, requests: map }),
});
const podSpec = part({
  containers: listOf(container),
  initContainers: listOf(container),
  nodeSelector: map,
  tolerations: listOf(part({ key: text })),
  imagePullSecrets: listOf(part({ name: text })),
  securityContext: part({ runAsUser: some, sysctls: listOf(part({ name: text })) }),
});
const metadataFields = {
  name: text,
  labels: map,
  annotations: map,
  finalizers: listOf(text),
  uid: text,
  unknown: text,
};
/** Decoding leaves no object without an object here. */
const metadata = fc.record(metadataFields, { requiredKeys: [] });
const status = part({ phase: text });
const objects: readonly (readonly [Subject, fc.Arbitrary<unknown>])[] = [
  [
    subjectOf("Pod"),
    fc.record({ apiVersion: text, kind: text, metadata, spec: podSpec, status }, { requiredKeys: [] }),
  ],
  [subjectOf("ConfigMap", false), fc.record({ metadata, data: some, binaryData: map }, { requiredKeys: [] })],
  [
    subjectOf("Deployment"),
    fc.record(
      {
        metadata,
        spec: part({
          replicas: some,
          template: part({ metadata: part(metadataFields), spec: podSpec }),
          strategy: some,
          selector: map,
        }),
      },
      { requiredKeys: [] },
    ),
  ],
  [subjectOf("Service"), fc.record({ metadata, spec: part({ ports: listOf(part({ port: some, protocol: text })) }) })],
];

for (const [subject, object] of objects) {
  test(`fieldsOfNew() finds of any ${subject.type} what a change from nothing does`, () => {
    fc.assert(
      fc.property(object, (value) => {
        assert.deepEqual(
          fieldsOfNew(subject, value as KubernetesObject),
          fieldsOfChange(subject, value as KubernetesObject),
        );
      }),
      { numRuns: 500 },
    );
  });
}
