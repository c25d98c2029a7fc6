/** What a test run by root needs to act as an ordinary user: netloom as a package of its own, and folders of that user's. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./root.ts";

/** Every machine has it: `nobody`. */
export const ordinaryUid = 65_534;

/** Tests that run as root try what matters as an ordinary user too; an ordinary user has no choice. */
export const isRoot = process.getuid?.() === 0;

export interface OrdinaryUser {
  /** All of it, to be removed in the end. */
  readonly folder: string;
  /** The user's own. */
  readonly home: string;
  /** Put before a command to run it as the user. */
  readonly become: readonly string[];
  readonly node: string;
  readonly netloom: string;
}

/** Root only. Neither the clone nor root's folders are the user's to read: the package is installed beside the home. */
export function makeOrdinaryUser(): OrdinaryUser {
  // Short, because sockets lie in it.
  const folder = mkdtempSync(join(tmpdir(), "nlr-"));
  chmodSync(folder, 0o755);
  installPackage(join(folder, "package"));
  const home = join(folder, "home");
  mkdirSync(home);
  copyTools(join(home, "data"));
  spawnSync("chown", ["-R", `${ordinaryUid}:${ordinaryUid}`, home]);
  return {
    folder,
    home,
    become: ["setpriv", `--reuid=${ordinaryUid}`, `--regid=${ordinaryUid}`, "--clear-groups", "--"],
    node: join(folder, "package/node_modules", `node-linux-${process.arch}`, "bin/node"),
    netloom: join(folder, "package/bin/netloom.mjs"),
  };
}

/** The programs the set-up fetched for root, where it did. */
function copyTools(dataHome: string): void {
  const ofRoot = process.env["XDG_DATA_HOME"] ?? join(process.env["HOME"] ?? "/root", ".local/share");
  if (!existsSync(join(ofRoot, "netloom/tools"))) return;
  cpSync(join(ofRoot, "netloom/tools"), join(dataHome, "netloom/tools"), { recursive: true, verbatimSymlinks: true });
}

/** What `npm install netloom` would put there: the bundle, and the packages it does not contain. */
function installPackage(target: string): void {
  const built = spawnSync(process.execPath, [join(root, "scripts/build.ts")], { cwd: root, encoding: "utf8" });
  assert.equal(built.status, 0, built.stderr);
  const parts = ["package.json", "bin", "dist", "scripts/setup", "examples"];
  const packages = ["koffi", "@koromix", `node-linux-${process.arch}`];
  for (const part of [...parts, ...packages.map((name) => `node_modules/${name}`)]) {
    cpSync(join(root, part), join(target, part), { recursive: true });
  }
  spawnSync("chmod", ["-R", "go+rX", target]);
}
