/** The users this machine gives a cluster's user namespace: root alone, or with `newuidmap` a range of 65,000 more. */
import { spawnSync } from "node:child_process";
import { lookUpTool } from "../../machinery/tools.ts";
import type { ClusterUsers } from "./cluster-users.ts";
import { needsUserNamespace } from "./preflight.ts";

const rootOnly = ["--user", "--map-root-user"] as const;
const range = [...rootOnly, "--map-auto"] as const;

/**
 * `newuidmap` gives a user the ids that /etc/subuid and /etc/subgid grant; whether they do, and unshare knows the flag
 * (util-linux 2.38), is tried.
 */
export function presentUsers(toolsDir: string): ClusterUsers {
  if (!needsUserNamespace()) return { kind: "machine" };
  if (lookUpTool("newuidmap", toolsDir) === undefined) return { kind: "root-only" };
  const showMaps = ["sh", "-c", "cat /proc/self/uid_map; echo; cat /proc/self/gid_map"];
  const { status, stdout } = spawnSync("unshare", [...range, ...showMaps], { encoding: "utf8" });
  const [uidMap, gidMap] = stdout.split("\n\n");
  return status !== 0 || uidMap === undefined || gidMap === undefined
    ? { kind: "root-only" }
    : { kind: "range", uidMap, gidMap };
}

/** unshare(1)'s flags; empty where no user namespace is needed. */
export function userNamespaceFlags({ kind }: ClusterUsers): readonly string[] {
  switch (kind) {
    case "machine":
      return [];
    case "root-only":
      return rootOnly;
    case "range":
      return range;
  }
}
