/** Resolves paths inside a container's root: its symbolic links are the container's, and must not lead out of it. */
import { lstatSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

const mostLinks = 40;

/** The real path of `path` below `root`, links followed as a process chrooted there would; what is missing stays as written. Throws ELOOP's message on too many links. */
export function resolveInRoot(root: string, path: string): string {
  const pending = path.split("/").toReversed();
  const resolved: string[] = [];
  let links = 0;
  for (let part = pending.pop(); part !== undefined; part = pending.pop()) {
    if (part === "" || part === ".") continue;
    if (part === "..") {
      resolved.pop();
      continue;
    }
    const here = join(root, ...resolved, part);
    const target = linkTarget(here);
    if (target === undefined) {
      resolved.push(part);
      continue;
    }
    if (++links > mostLinks) throw new Error(`Cannot resolve ${JSON.stringify(path)}: too many symbolic links`);
    if (target.startsWith("/")) resolved.length = 0;
    pending.push(...target.split("/").toReversed());
  }
  return join(root, ...resolved);
}

/** The file's text, or "" where there is none. */
export function readInRoot(root: string, path: string): string {
  try {
    return readFileSync(resolveInRoot(root, path), "utf8");
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "EISDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return "";
    throw error;
  }
}

function linkTarget(path: string): string | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat?.isSymbolicLink() ? readlinkSync(path) : undefined;
}
