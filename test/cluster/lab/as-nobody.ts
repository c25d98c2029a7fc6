/** An ordinary user with an installed package and folders of its own, for tests that root runs. */
import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { makeOrdinaryUser } from "./ordinary-user.ts";

export { ordinaryUid as nobody } from "./ordinary-user.ts";

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
  const { folder, home, become, node, netloom } = makeOrdinaryUser();
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: home,
    XDG_STATE_HOME: join(home, "s"),
    XDG_RUNTIME_DIR: join(home, "r"),
    XDG_DATA_HOME: join(home, "data"),
    KUBECONFIG: join(home, "kubeconfig"),
  };
  const run: NobodysLab["run"] = (command, args, { subIds, isRoot = false } = {}) => {
    const whole = [...(isRoot ? [] : become), command, ...args];
    const [program = "", ...rest] = subIds === undefined ? whole : withSubIds(subIds, whole);
    return spawnSync(program, rest, { env, cwd: folder, encoding: "utf8" });
  };
  return {
    folder,
    env,
    run,
    netloom: (args, options) => run(node, [netloom, ...args], options),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** In a mount namespace of its own, where the two files say so: the machine's stay as they are. */
function withSubIds(subIds: string, command: readonly string[]): readonly string[] {
  const script = `mount -t tmpfs nl-ids /mnt && echo "$0" > /mnt/ids && for f in subuid subgid; do mount --bind /mnt/ids /etc/$f || exit 99; done
exec "$@"`;
  return ["unshare", "--mount", "sh", "-c", script, subIds, ...command];
}
