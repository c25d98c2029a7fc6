/** The house's law is kept by dependency-cruiser; this test asserts that it saw the house, and that it would object. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { globSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");

interface CruiseResult {
  readonly modules: readonly {
    readonly source: string;
    readonly dependencies: readonly { readonly resolved: string }[];
  }[];
  readonly summary: { readonly error: number; readonly violations: readonly unknown[] };
}

function cruise(): CruiseResult {
  const run = spawnSync(
    process.execPath,
    [
      "node_modules/dependency-cruiser/bin/dependency-cruise.mjs",
      "src",
      "--config",
      ".dependency-cruiser.mjs",
      "--output-type",
      "json",
    ],
    { cwd: root, encoding: "utf8", maxBuffer: 256 << 20 },
  );
  return JSON.parse(run.stdout) as CruiseResult;
}

test("layering: every module was seen, with its imports, and none breaks the law", () => {
  const { modules, summary } = cruise();
  const sources = new Set(modules.map((module) => module.source));
  const unseen = globSync("src/**/*.ts", { cwd: root }).filter((file) => !sources.has(file));
  assert.deepEqual(unseen, []);
  const main = modules.find((module) => module.source === "src/main.ts");
  assert.ok(
    main?.dependencies.some(({ resolved }) => resolved === "src/cmd/internal.ts"),
    "imports of .ts files are followed",
  );
  assert.deepEqual(summary.violations, []);
});

test("every component has a README and an index", () => {
  const folder = join(root, "src/components");
  const incomplete = readdirSync(folder).filter((name) => {
    const files = readdirSync(join(folder, name));
    return !files.includes("README.md") || !files.includes("index.ts");
  });
  assert.deepEqual(incomplete, []);
});

test("no file of the clone depends on one machine: no absolute home or work folders in sources, docs and scripts", () => {
  const files = globSync(
    ["src/**/*", "test/**/*", "bench/**/*", "scripts/**/*", "docs/**/*", "examples/**/*", "*.md", ".ci/run"],
    {
      cwd: root,
      withFileTypes: true,
    },
  ).filter((entry) => entry.isFile());
  assert.ok(files.length > 100);
  // Written so that this file does not find itself.
  const machine = new RegExp(["/wor", "k/(main|shared)|/roo", "t/\\.local"].join(""));
  const offenders = files
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => machine.test(readFileSync(path, "utf8")));
  assert.deepEqual(offenders, []);
});
