// Keeps the bundle of a clone up to date: a command after an edit runs the edited program, and starts fast.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const bundle = join(root, "dist/main.js");

function newestSource() {
  return readdirSync(join(root, "src"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && !entry.name.endsWith(".test.ts"))
    .reduce((newest, entry) => Math.max(newest, statSync(join(entry.parentPath, entry.name)).mtimeMs), 0);
}

/** The entry file to run. An installed package has only the bundle; a clone makes it anew after each change. */
export function currentEntry(node) {
  if (!existsSync(join(root, "src"))) return bundle;
  if (existsSync(bundle) && statSync(bundle).mtimeMs > newestSource()) return bundle;
  const built = spawnSync(node, [join(root, "scripts/build.ts")], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
  });
  return built.status === 0 ? bundle : join(root, "src/main.ts");
}
