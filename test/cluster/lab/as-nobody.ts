/** An ordinary user with an installed package and folders of its own, for tests that root runs. */
import assert from "node:assert/strict";
import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./lab.ts";

export const nobody = 65_534;

export interface NobodysLab {
  /** `home` in it is nobody's. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  run(command: string, args: readonly string[], options?: NobodyOptions): SpawnSyncReturns<string>;
  netloom(args: readonly string[], options?: NobodyOptions): SpawnSyncReturns<string>;
  remove(): void;
}

interface NobodyOptions {
  /** What /etc/subuid and /etc/subgid grant: "nobody:100000:65536". By default what the machine's say. */
  readonly subIds?: string;
  /** The same files and folders as root. */
  readonly isRoot?: boolean;
}

export function makeNobodysLab(): NobodysLab {
  const folder = mkdtempSync(join(tmpdir(), "nlr-"));
  chmodSync(folder, 0o755);
  installPackage(join(folder, "package"));
  const home = join(folder, "home");
  mkdirSync(home);
  copyTools(join(home, "data"));
  spawnSync("chown", ["-R", `${nobody}:${nobody}`, home]);
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: home,
    XDG_STATE_HOME: join(home, "s"),
    XDG_RUNTIME_DIR: join(home, "r"),
    XDG_DATA_HOME: join(home, "data"),
    KUBECONFIG: join(home, "kubeconfig"),
  };
  const run: NobodysLab["run"] = (command, args, { subIds, isRoot = false } = {}) => {
    const become = ["setpriv", `--reuid=${nobody}`, `--regid=${nobody}`, "--clear-groups", "--"];
    const whole = [...(isRoot ? [] : become), command, ...args];
    const [program = "", ...rest] = subIds === undefined ? whole : withSubIds(subIds, whole);
    return spawnSync(program, rest, { env, cwd: folder, encoding: "utf8" });
  };
  return {
    folder,
    env,
    run,
    netloom: (args, options) =>
      run(
        join(folder, "package/node_modules", `node-linux-${process.arch}`, "bin/node"),
        [join(folder, "package/bin/netloom.mjs"), ...args],
        options,
      ),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** In a mount namespace of its own, where the two files say so: the machine's stay as they are. */
function withSubIds(subIds: string, command: readonly string[]): readonly string[] {
  const script = `mount -t tmpfs nl-ids /mnt && echo "$0" > /mnt/ids && for f in subuid subgid; do mount --bind /mnt/ids /etc/$f || exit 99; done
exec "$@"`;
  return ["unshare", "--mount", "sh", "-c", script, subIds, ...command];
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
