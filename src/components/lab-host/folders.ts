/** Where netloom keeps things on the host: state, sockets, fetched programs. Nothing is written anywhere else. */
import { accessSync, constants, existsSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import { homedir, tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { makeFolder } from "../../machinery/make-folder.ts";
import { isClusterName } from "../../model/cluster-plan/index.ts";

export interface HostFolders {
  /** `$XDG_STATE_HOME/netloom`: a folder per cluster. */
  readonly stateRoot: string;
  /** `$XDG_RUNTIME_DIR/netloom`: a folder per running cluster; short, because socket paths hold 107 bytes. */
  readonly runRoot: string;
  /** `$XDG_DATA_HOME/netloom/tools`: Debian packages the set-up unpacked. */
  readonly toolsDir: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Pure but for asking who the user is. Relative XDG variables are ignored, as their specification says. */
export function hostFolders(environment: Environment = process.env): HostFolders {
  const { uid } = userInfo();
  const runRoot = absolute(environment["XDG_RUNTIME_DIR"]) ?? (uid === 0 ? "/run" : join(tmpdir(), `netloom-${uid}`));
  return {
    stateRoot: join(absolute(environment["XDG_STATE_HOME"]) ?? join(homedir(), ".local/state"), "netloom"),
    runRoot: join(runRoot, "netloom"),
    toolsDir: join(absolute(environment["XDG_DATA_HOME"]) ?? join(homedir(), ".local/share"), "netloom/tools"),
  };
}

const absolute = (path: string | undefined): string | undefined => (path?.startsWith("/") ? path : undefined);

class FolderError extends Error {
  readonly code = "FolderUnusable";
}

/**
 * Makes a folder only its owner can enter. Where somebody else could have put it there (/tmp), its owner is checked:
 * sockets and keys go into it. Throws `FolderError` with the remedy.
 */
export function makePrivateFolder(path: string): void {
  try {
    makeFolder(path, { mode: 0o700 });
    const { uid } = lstatSync(path);
    if (uid !== userInfo().uid) throw new Error(`it belongs to ${userName(uid)}`);
  } catch (error) {
    throw new FolderError(
      `Cannot use the folder "${path}": ${whyUnusable(path, error as NodeJS.ErrnoException)}; free it, or set XDG_STATE_HOME and XDG_RUNTIME_DIR to folders of your own`,
      { cause: error },
    );
  }
}

/**
 * A cluster is its maker's: another user, root included, would leave files in it that the maker cannot use. Harmless where
 * there is no such folder. Throws `FolderError` with the remedy.
 */
export function checkFolderOwner(name: string, path: string): void {
  const owner = ownerOf(path);
  const { uid } = userInfo();
  if (owner === undefined || owner === uid) return;
  const as = owner === 0 ? "as root" : `as ${userName(owner)}${uid === 0 ? ", without sudo" : ""}`;
  throw new FolderError(
    `Cannot use the cluster "${name}": its folder "${path}" belongs to ${userName(owner)}; run netloom ${as}, or set XDG_STATE_HOME to a folder of your own for clusters of your own`,
  );
}

/** Of the nearest folder above where this one cannot even be seen; undefined where there is none. */
function ownerOf(path: string): number | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.uid;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EACCES") throw error;
    return lstatSync(nearestFolder(path)).uid;
  }
}

function whyUnusable(path: string, error: NodeJS.ErrnoException): string {
  if (isReadOnly(path)) return "its file system is read-only";
  if (error.code !== "EACCES") return error.message;
  const nearest = nearestFolder(path);
  const owner = lstatSync(nearest).uid;
  return owner === userInfo().uid ? error.message : `"${nearest}" belongs to ${userName(owner)}`;
}

function nearestFolder(path: string): string {
  return existsSync(path) || path === dirname(path) ? path : nearestFolder(dirname(path));
}

/** "root", "alice", "user 1234" where it has no name. */
function userName(uid: number): string {
  const line = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((text) => text.split(":"))
    .find(([, , id]) => id === `${uid}`);
  return line?.[0] ?? `user ${uid}`;
}

/** Asked of the nearest folder that exists: mkdir(2) of several levels says ENOENT instead. */
function isReadOnly(path: string): boolean {
  try {
    accessSync(nearestFolder(path), constants.W_OK);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EROFS";
  }
}

/** Names of clusters that have a state folder, running or not. */
export function knownClusters(folders: HostFolders): readonly string[] {
  try {
    return readdirSync(folders.stateRoot, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && isClusterName(entry.name))
      .map((entry) => entry.name)
      .toSorted();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
