/**
 * What `npx netloom` gives: the packed tarball, installed into an empty folder, makes a cluster, takes the tour, and
 * leaves nothing. Needs npm's registry, or its cache, for the one native library.
 */
import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { machineState, makeLab } from "./lab/index.ts";
import { root } from "./lab/lab.ts";

const lab = makeLab();
const folder = mkdtempSync(join(tmpdir(), "nl-pack-"));
const app = join(folder, "app");
/** The user's HOME would be the lab's empty one; npm's cache lies in the real one. */
const environment = { ...lab.env, HOME: process.env["HOME"] ?? "/" };
let isInstalled = false;

function run(command: string, args: readonly string[], options: { readonly cwd: string; readonly timeoutMs?: number }) {
  const { cwd, timeoutMs = 120_000 } = options;
  const result = spawnSync(command, args, { cwd, env: environment, encoding: "utf8", timeout: timeoutMs });
  return { code: result.status, stdout: result.stdout, stderr: result.stderr };
}

const netloom = (args: readonly string[]) => run(join(app, "node_modules/.bin/netloom"), args, { cwd: app });

before(() => {
  // A copy, so that neither the clone's bundle nor what runs from it is touched.
  const copy = join(folder, "clone");
  mkdirSync(copy);
  for (const name of readdirSync(root).filter((entry) => !["node_modules", "dist", ".git"].includes(entry))) {
    cpSync(join(root, name), join(copy, name), { recursive: true });
  }
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  const packed = run("npm", ["pack", "--pack-destination", folder, "--loglevel=error"], { cwd: copy });
  assert.equal(packed.code, 0, packed.stderr);
  mkdirSync(app);
  writeFileSync(join(app, "package.json"), "{}");
  const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz"));
  assert.ok(tarball);
  const flags = ["--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"];
  const installed = run("npm", ["install", ...flags, join(folder, tarball)], { cwd: app });
  isInstalled = installed.code === 0;
  // Without a network there is nothing to test; any other failure is ours.
  if (process.env["NETLOOM_CI"] !== undefined) assert.ok(isInstalled, installed.stderr);
  if (!isInstalled) assert.match(installed.stderr, /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|network/);
});
after(async () => {
  netloom(["down"]);
  await lab.end();
  rmSync(folder, { recursive: true, force: true });
});

test("the package holds what it needs, and neither sources nor stale chunks", (context) => {
  if (!isInstalled) return context.skip("npm's registry cannot be reached");
  const files = readdirSync(join(app, "node_modules/netloom"), { recursive: true }) as string[];
  for (const needed of [
    "bin/netloom.mjs",
    "dist/main.js",
    "dist/LICENSES.txt",
    "scripts/setup/tools.mjs",
    "examples/README.md",
    "LICENSE",
  ]) {
    assert.ok(files.includes(needed), needed);
  }
  assert.deepEqual(
    files.filter((file) => /^(src|test|bench|node_modules)\//.test(file)),
    [],
  );
});

test("an installed netloom boots a cluster, takes the tour and leaves nothing", (context) => {
  if (!isInstalled) return context.skip("npm's registry cannot be reached");
  assert.match(netloom(["version"]).stdout, /^netloom \d+\.\d+\.\d+ /);
  const up = netloom(["up"]);
  assert.equal(up.code, 0, up.stderr);
  const tour = netloom(["tour"]);
  assert.equal(tour.code, 0, tour.stdout + tour.stderr);
  assert.match(tour.stdout, /<title>httpbin\.org<\/title>/);
  const down = netloom(["down"]);
  assert.equal(down.code, 0, down.stderr);
  assert.deepEqual(machineState(lab.folder).processes, []);
});
