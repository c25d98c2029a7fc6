/** The users a cluster's user namespace has: root alone, or with `newuidmap` a range of 65,000 more. */
import { spawnSync } from "node:child_process";
import { lookUpTool } from "../../machinery/tools.ts";
import { needsUserNamespace } from "./preflight.ts";

const rootOnly = ["--user", "--map-root-user"] as const;

/**
 * unshare(1)'s flags; empty for root. `newuidmap` gives a user the ids that /etc/subuid and /etc/subgid grant; whether
 * they do, and unshare knows the flag (util-linux 2.38), is tried.
 */
export function userNamespaceFlags(toolsDir: string): readonly string[] {
  if (!needsUserNamespace()) return [];
  if (lookUpTool("newuidmap", toolsDir) === undefined) return rootOnly;
  const allUsers = [...rootOnly, "--map-auto"];
  return spawnSync("unshare", [...allUsers, "true"], { stdio: "ignore" }).status === 0 ? allUsers : rootOnly;
}
