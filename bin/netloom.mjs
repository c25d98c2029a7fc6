#!/usr/bin/env node
// Starts netloom with Node 24, whichever Node runs this: bundled when the bundle is there and, in a clone, up to date.
import { spawnSync } from "node:child_process";
import { node24 } from "../scripts/setup/node.mjs";
import { currentEntry } from "../scripts/setup/bundle.mjs";

let node;
try {
  node = node24();
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exit(1);
}
const entry = currentEntry(node);
if (node === process.execPath) {
  process.argv.splice(1, 1, entry);
  await import(entry);
} else {
  // Ctrl-C reaches both; the child decides.
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => undefined);
  const result = spawnSync(node, [entry, ...process.argv.slice(2)], { stdio: "inherit" });
  process.exitCode = result.status ?? 1;
}
