// The whole set-up of a clone: npm's packages, Debian's programs, the bundle. Quick when there is nothing to do.
import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { node24 } from "./node.mjs";
import { installTools } from "./tools.mjs";

export const root = join(dirname(fileURLToPath(import.meta.url)), "../..");

/** Returns the Node to run netloom with. Ends the process with the exact remedy where something cannot be had. */
export function setUp() {
  const say = (text) => process.stderr.write(`set-up: ${text}\n`);
  try {
    installPackages(say);
    installTools(say);
    return node24();
  } catch (error) {
    process.stderr.write(`error: ${error.message}\n`);
    process.exit(1);
  }
}

function installPackages(say) {
  // npm writes this file last; older than the lock file, the packages belong to another state of the clone.
  const installed = join(root, "node_modules/.package-lock.json");
  const lock = join(root, "package-lock.json");
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  say("installing npm packages (npm ci)");
  const result = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (result.status !== 0) throw new Error('Cannot install the npm packages; run "npm ci" and see what it says');
}
