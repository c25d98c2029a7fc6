/** Merges the cluster's context into the user's kubeconfig, and takes it out again, restoring the former context. */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { isMap, isSeq, parseDocument, YAMLMap, YAMLSeq, type Document } from "yaml";

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

/**
 * Adds or replaces cluster, user and context `name` and makes the context current. Comments and everything else in the
 * file stay. Returns the context that was current before (undefined: none, or this one already).
 */
export function mergeContext(path: string, name: string, credentials: ContextCredentials): string | undefined {
  return edit(path, (document) => {
    const previous = document.get("current-context");
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
    return typeof previous === "string" && previous !== "" && previous !== name ? previous : undefined;
  });
}

const base64 = (pem: string): string => Buffer.from(pem).toString("base64");

/** Undoes `mergeContext`. Harmless where the file or the entries are gone. An otherwise empty file is removed. */
export function removeContext(path: string, name: string, previousContext: string | undefined): void {
  if (!existsSync(path)) return;
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

function edit<T>(file: string, change: (document: Document) => T): T {
  // Through a link, so that the rename below replaces the file and not the link to it.
  const path = existsSync(file) ? realpathSync(file) : file;
  return locked(path, () => {
    const text = existsSync(path) ? readFileSync(path, "utf8") : "";
    const document = parseDocument(text.trim() === "" ? "apiVersion: v1\nkind: Config\n" : text);
    if (document.errors.length > 0 || !isMap(document.contents)) {
      throw new KubeconfigError(
        `Cannot read the kubeconfig "${path}": ${document.errors[0]?.message ?? "it is not a mapping"}; mend it, or name another file with --kubeconfig`,
      );
    }
    const result = change(document);
    // Written beside and renamed, so that a reader never sees half a file; the mode of keys.
    const temporary = `${path}.${process.pid}.tmp`;
    writeFileSync(temporary, document.toString({ lineWidth: 0 }), {
      mode: existsSync(path) ? statSync(path).mode & 0o777 : 0o600,
    });
    renameSync(temporary, path);
    return result;
  });
}

/** client-go's own lock: the file `<path>.lock`, made exclusively. */
function locked<T>(path: string, work: () => T): T {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const lock = `${path}.lock`;
  const deadline = Date.now() + 2000;
  for (;;) {
    try {
      closeSync(openSync(lock, "wx", 0o600));
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
        throw new KubeconfigError(
          `Cannot write the kubeconfig "${path}": ${(error as Error).message}; name another file with --kubeconfig`,
          { cause: error },
        );
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
