/**
 * The part of the machine that nodes and catalog images are made of: its programs in /usr, the links that lead there,
 * and copies of the few files in /etc that programs need. Nothing of the user: no home, no keys, no /var.
 */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { join } from "node:path";
import type { Mount } from "../runtime.ts";

/** Where a system without a merged /usr keeps programs and libraries in folders of their own. */
const programFolders = ["bin", "sbin", "lib", "lib32", "lib64", "libx32"];

/** Nix and Guix link all programs into their stores. */
const stores = ["/nix/store", "/gnu/store"];

const ownFolders = ["dev", "etc", "home", "mnt", "opt", "proc", "root", "run", "srv", "sys", "tmp", "usr", "var"];
const foldersInVar = ["cache", "lib", "log", "spool", "tmp"];

/** What programs read to find users, names, certificates, libraries and terminals. Without keys and passwords. */
const etcEntries = [
  "alternatives",
  "ca-certificates.conf",
  "crypto-policies",
  "gai.conf",
  "group",
  "host.conf",
  "ld.so.cache",
  "ld.so.conf",
  "ld.so.conf.d",
  "localtime",
  "mime.types",
  "nsswitch.conf",
  "passwd",
  "pki",
  "profile",
  "protocols",
  "rpc",
  "services",
  "shells",
  "ssl",
  "terminfo",
  "timezone",
];

/** Makes the folder once per boot; whoever comes second finds it complete. */
export function makeMachineBase(templatesDir: string): string {
  const base = join(templatesDir, "machine");
  if (existsSync(base)) return base;
  const unfinished = `${base}.${process.pid}`;
  rmSync(unfinished, { recursive: true, force: true });
  for (const name of ownFolders) mkdirSync(join(unfinished, name), { recursive: true });
  for (const name of foldersInVar) mkdirSync(join(unfinished, "var", name));
  symlinkSync("/run", join(unfinished, "var/run"));
  for (const name of ["tmp", "var/tmp"]) chmodSync(join(unfinished, name), 0o1777);
  chmodSync(join(unfinished, "root"), 0o700);
  for (const name of programFolders) copyProgramFolder(name, unfinished);
  for (const store of stores.filter((path) => existsSync(path)))
    mkdirSync(join(unfinished, store), { recursive: true });
  for (const name of etcEntries) copyIfReadable(join("/etc", name), join(unfinished, "etc", name));
  finish(unfinished, base);
  return base;
}

/** Another agent may have been quicker. */
export function finish(unfinished: string, folder: string): void {
  try {
    renameSync(unfinished, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
    rmSync(unfinished, { recursive: true, force: true });
  }
}

/** Folders of the machine that lie beside /usr and must be bound into a root made of the base. */
export function machineBinds(): readonly Mount[] {
  const folders = programFolders.map((name) => `/${name}`).filter((path) => isFolder(path));
  return [...folders, ...stores.filter((path) => existsSync(path))].map((path) => ({
    source: path,
    target: path,
    isReadOnly: true,
  }));
}

/** Layers of /usr, the first on top: what the set-up fetched lies over the machine's own. */
export function machineUsrLayers(toolsDir: string, templatesDir: string): readonly string[] {
  const fetched = join(toolsDir, "usr");
  const outside = toolsOutsideUsr(toolsDir, templatesDir);
  return [...(outside === undefined ? [] : [outside]), ...(existsSync(fetched) ? [fetched] : []), realpathSync("/usr")];
}

/** Packages that still put files into /bin and /lib: the same files below /usr, where the machine's links lead. */
function toolsOutsideUsr(toolsDir: string, templatesDir: string): string | undefined {
  const names = programFolders.filter((name) => isFolder(join(toolsDir, name)));
  if (names.length === 0) return undefined;
  const layer = join(templatesDir, "tools");
  if (existsSync(layer)) return layer;
  const unfinished = `${layer}.${process.pid}`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  for (const name of names) copyIfReadable(join(toolsDir, name), join(unfinished, name));
  finish(unfinished, layer);
  return layer;
}

function copyProgramFolder(name: string, base: string): void {
  const stat = lstatSync(join("/", name), { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (stat.isSymbolicLink()) symlinkSync(readlinkSync(join("/", name)), join(base, name));
  else mkdirSync(join(base, name));
}

/** Folders, files and links; what the user may not read (private keys) stays away. */
function copyIfReadable(source: string, target: string): void {
  const stat = lstatSync(source, { throwIfNoEntry: false });
  if (stat === undefined) return;
  try {
    if (stat.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    else if (stat.isDirectory() && source !== "/etc/ssl/private") {
      mkdirSync(target);
      for (const name of readdirSync(source)) copyIfReadable(join(source, name), join(target, name));
      chmodSync(target, stat.mode & 0o7777);
    } else if (stat.isFile()) {
      copyFileSync(source, target);
      chmodSync(target, stat.mode & 0o7777);
    }
  } catch (error) {
    if (!["EACCES", "EPERM"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}

function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
