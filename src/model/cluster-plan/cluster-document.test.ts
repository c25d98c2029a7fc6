import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { clusterSettings, readClusterDocument } from "./index.ts";

const head = { apiVersion: "netloom.dev/v1alpha1", kind: "Cluster" };

const mistakesOf = (value: unknown): readonly string[] => readClusterDocument(value).mistakes;

test("readClusterDocument() gives what the file sets and nothing else", () => {
  const value = {
    ...head,
    metadata: { name: "ci" },
    spec: { nodes: 5, wait: "1m30s", images: ["catalog"], auditLog: true, podCidr: "10.1.0.0/16" },
  };
  assert.deepEqual(readClusterDocument(value), {
    name: "ci",
    settings: { nodes: 5, wait: 90_000, images: "catalog", auditLog: true, podCidr: "10.1.0.0/16" },
    unreadable: [],
    mistakes: [],
  });
});

test("readClusterDocument() takes a file without metadata and with an empty spec", () => {
  assert.deepEqual(readClusterDocument({ ...head, spec: null }), { settings: {}, unreadable: [], mistakes: [] });
});

test("readClusterDocument() tells typographic quotes from YAML's, once", () => {
  assert.deepEqual(readClusterDocument({ ...head, metadata: { name: "“ci”" }, spec: { network: "‘vxlan’" } }), {
    settings: {},
    unreadable: ["network"],
    mistakes: [
      'metadata.name: begins with a typographic quote, which YAML takes for a part of the text; write "ci"',
      'spec.network: begins with a typographic quote, which YAML takes for a part of the text; write "vxlan"',
    ],
  });
});

test("readClusterDocument() has a field for every setting", () => {
  const sample = { number: 1, text: "x", list: ["x"], duration: "1s", boolean: true } as const;
  const spec = Object.fromEntries(clusterSettings.map(({ key, type }) => [key, sample[type]]));
  const { settings } = readClusterDocument({ ...head, spec });
  assert.deepEqual(
    Object.keys(settings),
    clusterSettings.map(({ key }) => key),
  );
});

test("readClusterDocument() reports all mistakes together, with paths and likely names", () => {
  const mistakes = mistakesOf({
    apiVersion: "v1",
    kind: "Cluster",
    metadata: { nmae: "x" },
    spec: { nodes: "three", podCIDR: "10.0.0.0/8", "max-pods": 3, wait: "soon", colour: "red" },
    extra: 1,
  });
  assert.deepEqual(mistakes, [
    "extra: unknown field; known are apiVersion, kind, metadata, spec",
    'apiVersion: must be "netloom.dev/v1alpha1", not "v1"',
    'metadata.nmae: unknown field; did you mean "name"?',
    'spec.podCIDR: unknown field; did you mean "podCidr"?',
    'spec.max-pods: unknown field; did you mean "maxPods"?',
    `spec.colour: unknown field; known are ${clusterSettings.map(({ key }) => key).join(", ")}`,
    'spec.nodes: must be a whole number from 1 to 200, not "three"',
    'spec.wait: must be a duration such as "30s" or "1m30s", or 0, not "soon"',
  ]);
});

test("readClusterDocument() refuses a list, a word and nothing", () => {
  for (const value of [[], "x", undefined, null])
    assert.match(mistakesOf(value)[0] ?? "", /^the file: must be a mapping/);
});

test("readClusterDocument() answers or refuses whatever it is given", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      mistakesOf(value);
      mistakesOf({ ...head, spec: value });
    }),
  );
});
