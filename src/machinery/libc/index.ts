/**
 * The system calls Node does not offer, through koffi: namespaces and mounts. All are synchronous and act on the
 * calling thread; each throws `SystemCallError` with the errno's name.
 */
import { statfsSync } from "node:fs";
import koffi from "koffi";
import { SystemCallError } from "./error.ts";

export { errnoName, SystemCallError } from "./error.ts";
export * from "./socket.ts";
export { openPipeEnds, spawnChild, type SpawnRequest, waitForChild } from "./spawn.ts";

const library = koffi.load(null);
const calls = {
  unshare: library.func("int unshare(int flags)"),
  setns: library.func("int setns(int fd, int nstype)"),
  mount: library.func(
    "int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)",
  ),
  umount2: library.func("int umount2(const char *target, int flags)"),
  statfs: library.func("int statfs(const char *path, uint8_t *into)"),
  mallocTrim: library.func("int malloc_trim(size_t pad)"),
} as const;

function check(result: number, call: string): void {
  if (result < 0) throw new SystemCallError(call, koffi.errno());
}

/** Flags of unshare(2) and setns(2), from <linux/sched.h>. */
export const namespaceFlags = {
  mount: 0x0002_0000,
  uts: 0x0400_0000,
  ipc: 0x0800_0000,
  user: 0x1000_0000,
  pid: 0x2000_0000,
  network: 0x4000_0000,
} as const;

export function unshare(flags: number): void {
  check(calls.unshare(flags) as number, `unshare(0x${flags.toString(16)})`);
}

/** `namespaceFlag` 0 accepts any type of namespace. */
export function setns(fd: number, namespaceFlag: number): void {
  check(calls.setns(fd, namespaceFlag) as number, `setns(${fd})`);
}

/** From <linux/magic.h>: the type of file system that namespaces are files of. */
const nsfsMagic = 0x6e73_6673;

/** Whether a namespace is bound to `path`. A file alone is none: whoever made or removed it was killed half-way. */
export function isNamespaceFile(path: string): boolean {
  try {
    return statfsSync(path).type === nsfsMagic;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

/** Flags of mount(2), from <linux/mount.h>. */
export const mountFlags = {
  readOnly: 1,
  noSuid: 2,
  noDev: 4,
  noExec: 8,
  remount: 32,
  bind: 4096,
  recursive: 16_384,
  noAtime: 1024,
  noDirAtime: 2048,
  private: 1 << 18,
  slave: 1 << 19,
  relAtime: 1 << 21,
} as const;

export function mount(options: {
  readonly source: string;
  readonly target: string;
  readonly type?: string;
  readonly flags?: number;
  readonly data?: string;
}): void {
  const { source, target, type, flags = 0, data } = options;
  const result = calls.mount(source, target, type ?? null, flags, data ?? null) as number;
  check(result, `mount ${type ?? "bind"} ${source} on ${target}`);
}

/** Detaches lazily whatever is mounted at `target`; harmless where nothing is, or no such place. */
export function unmountAll(target: string): void {
  try {
    // One mount may lie over another.
    for (;;) unmount(target, { isLazy: true });
  } catch (error) {
    if (!(error instanceof SystemCallError && ["EINVAL", "ENOENT"].includes(error.code))) throw error;
  }
}

/** Detaches lazily with `isLazy` (MNT_DETACH): the mount leaves the tree at once, and ends with its last user. */
export function unmount(target: string, options: { readonly isLazy?: boolean } = {}): void {
  check(calls.umount2(target, options.isLazy ? 2 : 0) as number, `umount ${target}`);
}

/** Where struct statfs has f_flags, and how long it is: the same on every 64-bit architecture (<asm-generic/statfs.h>). */
const statfsLayout = { flags: 80, length: 120 } as const;
/** The flags of statfs(2) that are written as mount(2) reads them; one has another number. */
const sameFlags =
  mountFlags.readOnly |
  mountFlags.noSuid |
  mountFlags.noDev |
  mountFlags.noExec |
  mountFlags.noAtime |
  mountFlags.noDirAtime;
const statfsRelAtime = 4096;

/** The flags of the mount that `path` lies on, as `mount` takes them. */
export function mountFlagsOf(path: string): number {
  const bytes = new Uint8Array(statfsLayout.length);
  check(calls.statfs(path, bytes) as number, `statfs ${path}`);
  const flags = new DataView(bytes.buffer).getUint32(statfsLayout.flags, true);
  return (flags & sameFlags) | ((flags & statfsRelAtime) === 0 ? 0 : mountFlags.relAtime);
}

/** Returns what the C library's allocator has free to the system: malloc_trim(3), some milliseconds. */
export function trimHeap(): void {
  calls.mallocTrim(0);
}
