/** Network namespaces kept alive by a bind mount. */
import { closeSync, constants, mkdirSync, openSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { isNamespaceFile, mount, mountFlags, unmountAll } from "../../machinery/libc/index.ts";
import type { NetworkNamespace } from "../network-namespace.ts";
import { runInNamespace, runInNewNamespace } from "./thread.ts";

/** Making, opening or removing a namespace failed; `code` is the errno's name. */
class NetworkNamespaceError extends Error {
  readonly code: string;
  override readonly name = "NetworkNamespaceError";

  constructor(action: string, path: string, cause: unknown) {
    const code = errorCode(cause);
    super(`Cannot ${action} network namespace "${path}": ${reasons[code] ?? String(cause)}`, { cause });
    this.code = code;
  }
}

const reasons: Readonly<Record<string, string>> = {
  EEXIST: "it exists already: remove the namespace first",
  ENOENT: "there is no such file: has the namespace been removed?",
  EINVAL: "the file is no namespace: its mount is gone, or belongs to another mount namespace",
  EPERM: "not permitted: run as root, or inside the user namespace that owns it",
};

/** Whether a namespace is bound to `path`; a file that a crash has left there is none. */
export const isNetworkNamespace = isNamespaceFile;

/**
 * Makes a namespace and keeps it at `path`, where none may be yet; its folder is made. A file without a namespace is what
 * a crash has left, and is used. Leaves nothing behind after an error.
 */
export function createNetworkNamespace(path: string): NetworkNamespace {
  try {
    mkdirSync(dirname(path), { recursive: true });
    if (isNetworkNamespace(path)) throw Object.assign(new Error("it is there already"), { code: "EEXIST" });
    closeSync(openSync(path, constants.O_RDONLY | constants.O_CREAT, 0o444));
  } catch (error) {
    throw new NetworkNamespaceError("create", path, error);
  }
  try {
    runInNewNamespace(() => mount({ source: "/proc/thread-self/ns/net", target: path, flags: mountFlags.bind }));
    return openNetworkNamespace(path);
  } catch (error) {
    removeNetworkNamespace(path);
    throw error instanceof NetworkNamespaceError ? error : new NetworkNamespaceError("create", path, error);
  }
}

/** The handle must be closed; many may be open at once. */
export function openNetworkNamespace(path: string): NetworkNamespace {
  let fd: number;
  try {
    fd = openSync(path, "r");
    // A file whose mount is gone opens too: entering it once tells.
    runInNamespace(fd, () => undefined);
  } catch (error) {
    throw new NetworkNamespaceError("open", path, error);
  }
  let isOpen = true;
  return {
    path,
    run: (work) => {
      if (!isOpen) throw new NetworkNamespaceError("enter", path, new Error("the handle was closed"));
      return runInNamespace(fd, work);
    },
    close: () => {
      if (isOpen) closeSync(fd);
      isOpen = false;
    },
  };
}

/**
 * Ends the mount at `path` and removes the file; harmless when there is none. The namespace, with the links in it, goes
 * in the background as soon as no process, socket or handle holds it.
 */
export function removeNetworkNamespace(path: string): void {
  try {
    unmountAll(path);
  } catch (error) {
    throw new NetworkNamespaceError("remove", path, error);
  }
  rmSync(path, { force: true });
}

function errorCode(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "UNKNOWN";
}
