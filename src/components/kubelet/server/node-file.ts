/** Opens what a path of the node names, in whatever way: it never leaves the folder it is asked for. */
import { closeSync, constants, fstatSync, lstatSync, openSync, readlinkSync, realpathSync } from "node:fs";
import type { Stats } from "node:fs";
import { join } from "node:path";

/** Of `/proc/sys/fs`: so many links the kernel itself follows. */
const mostLinks = 40;
/** A pipe that nobody writes would block the thread; the last part is no link, or somebody changed it meanwhile. */
const openFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export interface NodeFile {
  /** To be closed by the caller. */
  readonly fd: number;
  readonly stats: Stats;
}

/**
 * @param place.root - The node's root folder; links are read as the node reads them.
 * @param place.folder - "/var/log": whatever the path or a link on it leads out of it, is not there.
 * Undefined where there is no such file or folder. Throws what the file system refuses (EACCES).
 */
export function openNodeFile(
  { root, folder }: { readonly root: string; readonly folder: string },
  path: string,
): NodeFile | undefined {
  const base = realpathSync(root);
  const inside = resolveInside(base, join(folder, path));
  if (inside === undefined || !(inside === folder || inside.startsWith(`${folder}/`))) return undefined;
  let fd: number;
  try {
    fd = openSync(`${base}${inside}`, openFlags);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  // A pod may have the folder mounted and change it under our feet: what counts is what was opened.
  if (readlinkSync(`/proc/self/fd/${fd}`) !== `${base}${inside}`) {
    closeSync(fd);
    return undefined;
  }
  const stats = fstatSync(fd);
  if (stats.isFile() || stats.isDirectory()) return { fd, stats };
  closeSync(fd);
  return undefined;
}

/** The path as it is without links, as a process whose root is `root` would find it. */
function resolveInside(root: string, path: string): string | undefined {
  const left = path.split("/");
  let done = "";
  for (let links = 0; left.length > 0;) {
    const part = left.shift() ?? "";
    if (part === "" || part === ".") continue;
    if (part === "..") {
      done = done.slice(0, Math.max(0, done.lastIndexOf("/")));
      continue;
    }
    const next = `${done}/${part}`;
    const target = linkTarget(`${root}${next}`);
    if (target === "missing" || links > mostLinks) return undefined;
    if (target === undefined) {
      done = next;
      continue;
    }
    links += 1;
    if (target.path.startsWith("/")) done = "";
    left.unshift(...target.path.split("/"));
  }
  return done === "" ? "/" : done;
}

function linkTarget(path: string): { readonly path: string } | "missing" | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? { path: readlinkSync(path) } : undefined;
  } catch (error) {
    if (isMissing(error)) return "missing";
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR", "ELOOP", "ENXIO", "ENAMETOOLONG"].includes((error as NodeJS.ErrnoException).code ?? "");
}
