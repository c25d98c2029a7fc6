/** Files of a pod's `fsGroup`. */
import { chownSync, statSync } from "node:fs";

/**
 * Gives a file or folder to a group. False where that cannot be: rootless, a user namespace without a number for the
 * group has no such group, and its containers cannot be members of it either.
 */
export function giveToGroup(path: string, group: number): boolean {
  try {
    chownSync(path, statSync(path).uid, group);
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "";
    if (["EINVAL", "EPERM"].includes(code)) return false;
    throw error;
  }
}
