/** Who a container's process is, from its /etc/passwd and /etc/group: pure, the files' texts come in. */
import { ContainerError } from "../errors.ts";
import type { ContainerSpec } from "../runtime.ts";
import type { ResolvedUser } from "./oci-config.ts";

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

/**
 * The pod's user where it sets one, else the image's ("uid", "name", "uid:gid", "name:group"; "" is root). The texts
 * are "" where the file is missing. Throws `ContainerError` for a name that is in none.
 */
export function resolveUser(options: {
  readonly asked: ContainerSpec["user"];
  readonly ofImage: string;
  readonly passwd: string;
  readonly group: string;
}): ResolvedUser {
  const { asked, ofImage, group } = options;
  const entries = parsePasswd(options.passwd);
  if (asked !== undefined) {
    const entry = entries.find(({ uid }) => uid === asked.uid);
    return {
      uid: asked.uid,
      gid: asked.gid ?? entry?.gid ?? 0,
      supplementalGroups: merge(groupsOf(entry?.name, group), asked.supplementalGroups),
      home: entry?.home ?? "/",
    };
  }
  const [userText = "", groupText] = ofImage.split(":");
  const name = userText || "0";
  const entry = entries.find((candidate) => candidate.name === name || String(candidate.uid) === name);
  if (entry === undefined && !/^\d+$/.test(name)) {
    throw new ContainerError(
      "CreateContainerConfigError",
      `unable to find user ${name}: no matching entries in passwd file`,
    );
  }
  const uid = entry?.uid ?? Number(name);
  return {
    uid,
    gid: groupText === undefined ? (entry?.gid ?? 0) : groupNumber(groupText, group),
    supplementalGroups: groupText === undefined ? groupsOf(entry?.name, group) : [],
    home: entry?.home ?? (uid === 0 ? "/root" : "/"),
  };
}

function parsePasswd(text: string): readonly PasswdEntry[] {
  return fieldsOf(text).flatMap(([name = "", , uid = "", gid = "", , home = "/"]) =>
    /^\d+$/.test(uid) && /^\d+$/.test(gid) ? [{ name, uid: Number(uid), gid: Number(gid), home }] : [],
  );
}

/** The groups that list the user; none for a user without a name. */
function groupsOf(user: string | undefined, group: string): readonly number[] {
  if (user === undefined) return [];
  return fieldsOf(group).flatMap(([, , gid = "", members = ""]) =>
    /^\d+$/.test(gid) && members.split(",").includes(user) ? [Number(gid)] : [],
  );
}

function groupNumber(name: string, group: string): number {
  const found = fieldsOf(group).find(([entry]) => entry === name)?.[2];
  if (found !== undefined && /^\d+$/.test(found)) return Number(found);
  if (/^\d+$/.test(name)) return Number(name);
  throw new ContainerError(
    "CreateContainerConfigError",
    `unable to find group ${name}: no matching entries in group file`,
  );
}

function fieldsOf(text: string): readonly (readonly string[])[] {
  return text.split("\n").map((line) => line.split(":"));
}

function merge(first: readonly number[], second: readonly number[]): readonly number[] {
  return [...new Set([...first, ...second])];
}
