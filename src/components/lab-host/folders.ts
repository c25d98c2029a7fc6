/** Where netloom keeps things on the host: state, sockets, fetched programs. Nothing is written anywhere else. */
import { accessSync, constants, existsSync, lstatSync, mkdirSync, readdirSync } from "node:fs";
import { homedir, tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";

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
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const { uid } = lstatSync(path);
    if (uid !== userInfo().uid) throw new Error(`it belongs to user ${uid}`);
  } catch (error) {
    throw new FolderError(
      `Cannot use the folder "${path}": ${isReadOnly(path) ? "its file system is read-only" : (error as Error).message}; free it, or set XDG_STATE_HOME and XDG_RUNTIME_DIR to folders of your own`,
      { cause: error },
    );
  }
}

/** Asked of the nearest folder that exists: mkdir(2) of several levels says ENOENT instead. */
function isReadOnly(path: string): boolean {
  if (!existsSync(path) && path !== dirname(path)) return isReadOnly(dirname(path));
  try {
    accessSync(path, constants.W_OK);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EROFS";
  }
}

/** Names of clusters that have a state folder, running or not. */
export function knownClusters(folders: HostFolders): readonly string[] {
  try {
    return readdirSync(folders.stateRoot, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .toSorted();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
