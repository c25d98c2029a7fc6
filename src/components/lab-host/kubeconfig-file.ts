/** Merges the cluster's context into the user's kubeconfig, and takes it out again, restoring the former context. */
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { homedir, hostname } from "node:os";
import { dirname, join } from "node:path";
import { isMap, isSeq, parseDocument, YAMLMap, YAMLSeq, type Document } from "yaml";
import { makeFolder } from "../../machinery/make-folder.ts";
import { identify, isAlive } from "./process-table.ts";

export class KubeconfigError extends Error {
  readonly code = "KubeconfigUnusable";
}

export interface ContextCredentials {
  /** "https://127.0.0.1:6443". */
  readonly server: string;
  /** PEM. */
  readonly certificateAuthority: string;
  readonly clientCertificate: string;
  readonly clientKey: string;
}

/** `--kubeconfig`, else the first file of `$KUBECONFIG`, else `~/.kube/config`: kubectl's own order. */
export function kubeconfigPath(
  option: string | undefined,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string {
  if (option !== undefined) return option;
  const first = environment["KUBECONFIG"]?.split(":").find((path) => path !== "");
  return first ?? join(homedir(), ".kube/config");
}

/** Undefined where there is none, or no such file. Throws `KubeconfigError` where it cannot be read. */
export function currentContext(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  const current = explained(path, () => readDocument(path).get("current-context"));
  return typeof current === "string" && current !== "" ? current : undefined;
}

/**
 * Adds or replaces cluster, user and context `name` and makes the context current. Comments and everything else in the
 * file stay.
 */
export function mergeContext(path: string, name: string, credentials: ContextCredentials): void {
  edit(path, (document) => {
    setEntry(document, "clusters", name, {
      cluster: { server: credentials.server, "certificate-authority-data": base64(credentials.certificateAuthority) },
    });
    setEntry(document, "users", name, {
      user: {
        "client-certificate-data": base64(credentials.clientCertificate),
        "client-key-data": base64(credentials.clientKey),
      },
    });
    setEntry(document, "contexts", name, { context: { cluster: name, user: name } });
    document.set("current-context", name);
  });
}

const base64 = (pem: string): string => Buffer.from(pem).toString("base64");

/** Undoes `mergeContext`. Harmless where the file or the entries are gone. An otherwise empty file is removed. */
export function removeContext(path: string, name: string, previousContext: string | undefined): void {
  if (!existsSync(path)) {
    removeHalfMade(path);
    return;
  }
  const isEmpty = edit(path, (document) => {
    for (const list of ["clusters", "users", "contexts"]) removeEntry(document, list, name);
    if (document.get("current-context") === name) {
      const isStillThere = previousContext !== undefined && hasEntry(document, "contexts", previousContext);
      document.set("current-context", isStillThere ? previousContext : "");
    }
    return ["clusters", "users", "contexts"].every((list) => {
      const sequence = document.get(list);
      return !isSeq(sequence) || sequence.items.length === 0;
    });
  });
  if (isEmpty) rmSync(path, { force: true });
}

/** Of a file that a netloom was about to make when it was killed. */
function removeHalfMade(path: string): void {
  if (!isAbandoned(lockOf(path))) return;
  for (const left of [temporaryOf(path), lockOf(path)]) rmSync(left, { force: true });
}

/** Always one name: what a killed writer left there is replaced by the next. */
const temporaryOf = (path: string): string => `${path}.netloom.tmp`;
const lockOf = (path: string): string => `${path}.lock`;

function edit<T>(file: string, change: (document: Document) => T): T {
  // Through a link, so that the rename below replaces the file and not the link to it.
  const path = existsSync(file) ? realpathSync(file) : file;
  return explained(path, () =>
    locked(path, () => {
      const document = readDocument(path);
      const result = change(document);
      // Written beside and renamed, so that a reader never sees half a file; the mode of keys.
      const temporary = temporaryOf(path);
      rmSync(temporary, { force: true });
      writeFileSync(temporary, document.toString({ lineWidth: 0 }), {
        mode: existsSync(path) ? statSync(path).mode & 0o777 : 0o600,
      });
      renameSync(temporary, path);
      return result;
    }),
  );
}

/** What the system refuses, as of a folder or another user's file, is the user's to mend. */
function explained<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof KubeconfigError) throw error;
    throw new KubeconfigError(
      `Cannot use the kubeconfig "${path}": ${(error as Error).message}; name another file with --kubeconfig`,
      { cause: error },
    );
  }
}

function readDocument(path: string): Document {
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  const document = parseDocument(text.trim() === "" ? "apiVersion: v1\nkind: Config\n" : text);
  if (document.errors.length > 0 || !isMap(document.contents)) {
    throw new KubeconfigError(
      `Cannot read the kubeconfig "${path}": ${document.errors[0]?.message ?? "it is not a mapping"}; mend it, or name another file with --kubeconfig`,
    );
  }
  return document;
}

/** client-go's own lock: the file `<path>.lock`, made exclusively. Ours says whose it is, so that one of a killed netloom goes. */
function locked<T>(path: string, work: () => T): T {
  makeFolder(dirname(path), { mode: 0o700 });
  const lock = lockOf(path);
  const deadline = Date.now() + 2000;
  for (;;) {
    try {
      makeLock(lock);
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
        throw new KubeconfigError(
          `Cannot write the kubeconfig "${path}": ${(error as Error).message}; name another file with --kubeconfig`,
          { cause: error },
        );
      }
      if (isAbandoned(lock)) {
        rmSync(lock, { force: true });
        continue;
      }
      if (Date.now() > deadline) {
        throw new KubeconfigError(
          `Cannot write the kubeconfig "${path}": another program holds "${lock}"; remove that file if none does`,
        );
      }
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
  try {
    return work();
  } finally {
    rmSync(lock, { force: true });
  }
}

/** A link is made and named by one system call; for who opens the lock exclusively, it exists as a file does. */
function makeLock(lock: string): void {
  const { pid, startTicks } = identify(process.pid) ?? { pid: process.pid, startTicks: 0 };
  try {
    symlinkSync(`netloom:${hostname()}:${pid}:${startTicks}`, lock);
  } catch (error) {
    // A file system without links.
    if (!["EPERM", "ENOSYS", "EOPNOTSUPP"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    closeSync(openSync(lock, "wx", 0o600));
  }
}

/** Whether it is that of a netloom of this machine that has ended. */
function isAbandoned(lock: string): boolean {
  try {
    const [program, host, pid, startTicks] = readlinkSync(lock).split(":");
    return (
      program === "netloom" && host === hostname() && !isAlive({ pid: Number(pid), startTicks: Number(startTicks) })
    );
  } catch {
    return false;
  }
}

function entries(document: Document, list: string): YAMLSeq {
  const present = document.get(list);
  if (isSeq(present)) return present;
  const made = new YAMLSeq();
  document.set(list, made);
  return made;
}

const hasName =
  (name: string) =>
  (item: unknown): boolean =>
    isMap(item) && item.get("name") === name;

const hasEntry = (document: Document, list: string, name: string): boolean =>
  entries(document, list).items.some(hasName(name));

function removeEntry(document: Document, list: string, name: string): void {
  const sequence = entries(document, list);
  sequence.items = sequence.items.filter((item) => !hasName(name)(item));
}

function setEntry(document: Document, list: string, name: string, value: object): void {
  removeEntry(document, list, name);
  const sequence = entries(document, list);
  sequence.flow = false;
  const made: unknown = document.createNode({ name, ...value });
  if (made instanceof YAMLMap) sequence.items.push(made);
}
