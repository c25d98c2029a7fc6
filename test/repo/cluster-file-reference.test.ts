/** The reference of the cluster file has a row for every setting, with its flag, type and default. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parse } from "yaml";
import { clusterSchema, clusterSchemaFile } from "../../scripts/generate-cluster-schema.ts";
import { clusterSettings, flagOf, readClusterDocument } from "../../src/model/cluster-plan/index.ts";

const text = readFileSync(new URL("../../docs/reference/cluster-file.md", import.meta.url), "utf8");
const rows = [...text.matchAll(/^\| `(\w+)` +\| `(--[a-z-]+)` +\| (\w+) +\| ([^|]+?) +\|/gm)].map(
  ([, key = "", flag = "", type = "", fallback = ""]) => ({ key, flag, type, fallback }),
);

test("docs/reference/cluster-file.md has every setting and no other", () => {
  assert.deepEqual(
    rows.map(({ key, flag, type }) => ({ key, flag, type })),
    clusterSettings.map(({ key, type }) => ({ key, flag: flagOf(key), type })),
  );
  for (const { key, fallback } of clusterSettings) {
    if (fallback !== undefined) assert.equal(rows.find((row) => row.key === key)?.fallback, `${fallback}`, key);
  }
});

test("docs/reference/cluster.schema.json says the same to editors", () => {
  assert.deepEqual(
    JSON.parse(readFileSync(clusterSchemaFile, "utf8")),
    clusterSchema(),
    'write it anew with "node scripts/generate-cluster-schema.ts"',
  );
});

test("every cluster file in the docs is one", () => {
  const files = ["docs/reference/cluster-file.md", "docs/guides/ci.md"].flatMap((path) =>
    [
      ...readFileSync(new URL(`../../${path}`, import.meta.url), "utf8").matchAll(
        /```yaml\n([^`]*kind: Cluster[^`]*)```/g,
      ),
    ].map(([, yaml = ""]) => yaml),
  );
  assert.equal(files.length, 2);
  for (const yaml of files) assert.deepEqual(readClusterDocument(parse(yaml)).mistakes, []);
});
