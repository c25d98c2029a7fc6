/**
 * Which users a cluster's processes can be. It is settled when the cluster is made, since what they write on the nodes'
 * disks and volumes belongs to these users: among others, files would belong to nobody, or to the wrong one.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export type ClusterUsers =
  /** Made by root: the machine's users, and no user namespace. */
  | { readonly kind: "machine" }
  /** A user namespace with root alone, who is the user outside. */
  | { readonly kind: "root-only" }
  /** A user namespace with the user as root and ids of /etc/subuid and /etc/subgid: the kernel's own words for both maps. */
  | { readonly kind: "range"; readonly uidMap: string; readonly gidMap: string };

class ClusterUsersError extends Error {
  readonly code = "ClusterUsersDiffer";
}

const usersFile = (stateDir: string): string => join(stateDir, "users.json");

export function recordUsers(stateDir: string, users: ClusterUsers): void {
  writeFileSync(usersFile(stateDir), JSON.stringify(users), { mode: 0o600 });
}

/** Undefined where the cluster was made before this was written down, or the file is damaged: then nothing is known. */
export function readUsers(stateDir: string): ClusterUsers | undefined {
  try {
    const users = JSON.parse(readFileSync(usersFile(stateDir), "utf8")) as ClusterUsers;
    return ["machine", "root-only", "range"].includes(users.kind) ? users : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The users to start a cluster with: those it was made with. `note` tells where more would be there now. Throws
 * `ClusterUsersError` with the remedy where those are not to be had.
 */
export function agreeOnUsers(
  name: string,
  made: ClusterUsers | undefined,
  present: ClusterUsers,
): { readonly users: ClusterUsers; readonly note?: string } {
  if (made === undefined || isSame(made, present)) return { users: present };
  const anew = `end it with "netloom down" and make it anew with "netloom up"`;
  switch (made.kind) {
    case "machine":
      throw new ClusterUsersError(
        `Cannot start the cluster "${name}": root made it, and its files belong to the machine's users; start it as root with all capabilities, or ${anew}`,
      );
    case "range":
      throw new ClusterUsersError(
        `Cannot start the cluster "${name}": its files belong to the ids ${idsText(made)} of /etc/subuid, and ${presentText(present)}; ${restoreText(present)}, or ${anew}`,
      );
    case "root-only":
      return {
        users: made,
        note: `The cluster "${name}" was made with root as its only user, and keeps that; for further users ${anew}`,
      };
  }
}

function isSame(left: ClusterUsers, right: ClusterUsers): boolean {
  if (left.kind !== "range" || right.kind !== "range") return left.kind === right.kind;
  return idsText(left) === idsText(right);
}

function presentText(present: ClusterUsers): string {
  switch (present.kind) {
    case "machine":
      return "now it would have the machine's users";
    case "root-only":
      return "newuidmap maps none now";
    case "range":
      return `now these are ${idsText(present)}`;
  }
}

function restoreText(present: ClusterUsers): string {
  return present.kind === "machine"
    ? "start it as it was made, without those capabilities"
    : 'put them back in /etc/subuid and /etc/subgid, with newuidmap installed ("netloom doctor" tells what is missing)';
}

/** "100000-165535"; both maps where they differ. */
function idsText({ uidMap, gidMap }: ClusterUsers & { readonly kind: "range" }): string {
  const [uids, gids] = [uidMap, gidMap].map(rangesText);
  return uids === gids ? `${uids}` : `${uids} (groups ${gids})`;
}

/** Lines of "first inside, first outside, count"; the first is root, who is the user. */
function rangesText(map: string): string {
  const ranges = map
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .filter(([inside]) => inside !== 0)
    .map(([, outside = 0, count = 0]) => `${outside}-${outside + count - 1}`);
  return ranges.join(", ");
}
