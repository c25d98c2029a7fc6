import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { readUpOptions } from "./cluster-options.ts";

const folder = mkdtempSync(join(tmpdir(), "nl-options-"));
after(() => rmSync(folder, { recursive: true }));
const file = join(folder, "netloom.yaml");
const head = "apiVersion: netloom.dev/v1alpha1\nkind: Cluster\n";

const refused: readonly (readonly [what: string, text: string, reason: RegExp])[] = [
  ["several documents", `${head}---\n${head}`, /it holds 2 documents; a file is one cluster, give each its own$/],
  ["a tag it does not know", `${head}spec: { network: !secret x }\n`, /Unresolved tag: !secret at line 3/],
  ["an alias of nothing", `${head}spec: { network: *x }\n`, /Unresolved alias .*: x$/],
  ["a tab", `${head}spec:\n\tnodes: 1\n`, /Tabs are not allowed as indentation at line 4, column 1/],
  ["nothing", "", /the file: must be a mapping, not null/],
];
for (const [what, text, reason] of refused) {
  test(`readUpOptions() refuses a file with ${what}`, async () => {
    writeFileSync(file, text);
    await assert.rejects(readUpOptions({}, file), reason);
  });
}

test("readUpOptions() says why a file cannot be read", async () => {
  await assert.rejects(readUpOptions({}, join(folder, "none")), {
    message: `Cannot read the configuration "${join(folder, "none")}": there is no such file or folder`,
  });
  await assert.rejects(readUpOptions({}, folder), /: it is a folder$/);
});

test("readUpOptions() takes a file with a byte order mark, carriage returns and an end mark", async () => {
  writeFileSync(file, `\uFEFF${head}spec:\n  nodes: 2\n---\n# the end\n`.replaceAll("\n", "\r\n"));
  const { nodes } = await readUpOptions({}, file);
  assert.equal(nodes, 2);
});
