/**
 * Starting programs as `vfork` does. Node forks: it copies the page tables of the whole process for a child that drops them
 * at once, which takes milliseconds of a process of 100 MB, and its thread waits meanwhile.
 */
import koffi from "koffi";
import { SystemCallError } from "./error.ts";

const library = koffi.load(null);
const calls = {
  spawn: library.func(
    "int posix_spawn(uint8_t *pid, const char *path, const uint8_t *actions, const uint8_t *attributes, const char **argv, const char **envp)",
  ),
  actionsInit: library.func("int posix_spawn_file_actions_init(uint8_t *actions)"),
  actionsDestroy: library.func("int posix_spawn_file_actions_destroy(uint8_t *actions)"),
  addOpen: library.func(
    "int posix_spawn_file_actions_addopen(uint8_t *actions, int fd, const char *path, int flags, unsigned int mode)",
  ),
  addDup: library.func("int posix_spawn_file_actions_adddup2(uint8_t *actions, int fd, int as)"),
  addFolder: library.func("int posix_spawn_file_actions_addchdir_np(uint8_t *actions, const char *path)"),
  attributesInit: library.func("int posix_spawnattr_init(uint8_t *attributes)"),
  attributesDestroy: library.func("int posix_spawnattr_destroy(uint8_t *attributes)"),
  setFlags: library.func("int posix_spawnattr_setflags(uint8_t *attributes, short flags)"),
  setDefaults: library.func("int posix_spawnattr_setsigdefault(uint8_t *attributes, const uint8_t *signals)"),
  setMask: library.func("int posix_spawnattr_setsigmask(uint8_t *attributes, const uint8_t *signals)"),
  waitpid: library.func("int waitpid(int pid, uint8_t *status, int options)"),
  pipe2: library.func("int pipe2(uint8_t *ends, int flags)"),
} as const;

/** Longer than either of the structures in any C library for Linux. */
const structureBytes = 1024;
/** POSIX_SPAWN_SETSIGDEF and POSIX_SPAWN_SETSIGMASK. */
const signalFlags = 0x04 | 0x08;
const signalSetBytes = 128;
const doNotWait = 1;
const interrupted = 4;

export interface SpawnRequest {
  /** Absolute. */
  readonly path: string;
  /** With the name of the program as first word. */
  readonly argv: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly folder: string;
  /** Which descriptors of ours become the child's; of its first three, those that are not named are `/dev/null`. */
  readonly descriptors: ReadonlyMap<number, number>;
}

/**
 * Returns the child's process id; the caller waits for its end with `waitForChild`. As Node's children it has no signal
 * blocked or ignored. Throws `SystemCallError` where the program cannot be started ("ENOENT").
 */
export function spawnChild({ path, argv, env, folder, descriptors }: SpawnRequest): number {
  const actions = new Uint8Array(structureBytes);
  const attributes = new Uint8Array(structureBytes);
  checkNumber(calls.actionsInit(actions) as number, "posix_spawn_file_actions_init");
  checkNumber(calls.attributesInit(attributes) as number, "posix_spawnattr_init");
  try {
    for (const fd of [0, 1, 2]) {
      // O_RDWR
      if (!descriptors.has(fd)) checkNumber(calls.addOpen(actions, fd, "/dev/null", 2, 0) as number, "addopen");
    }
    for (const [as, fd] of descriptors) checkNumber(calls.addDup(actions, fd, as) as number, "adddup2");
    checkNumber(calls.addFolder(actions, folder) as number, "addchdir");
    checkNumber(calls.setFlags(attributes, signalFlags) as number, "posix_spawnattr_setflags");
    checkNumber(calls.setDefaults(attributes, new Uint8Array(signalSetBytes).fill(0xff)) as number, "setsigdefault");
    checkNumber(calls.setMask(attributes, new Uint8Array(signalSetBytes)) as number, "setsigmask");
    const variables = Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
    const pid = new Uint8Array(4);
    const result = calls.spawn(pid, path, actions, attributes, [...argv, null], [...variables, null]) as number;
    checkNumber(result, `start "${path}"`);
    return new DataView(pid.buffer).getInt32(0, true);
  } finally {
    calls.actionsDestroy(actions);
    calls.attributesDestroy(attributes);
  }
}

/** These return their errno. */
function checkNumber(errno: number, call: string): void {
  if (errno !== 0) throw new SystemCallError(call, errno);
}

/** Whether a child that `spawnChild` started has ended; then it is gone from the process table. */
export function waitForChild(pid: number): boolean {
  for (;;) {
    const result = calls.waitpid(pid, new Uint8Array(4), doNotWait) as number;
    if (result === 0) return false;
    // ECHILD: somebody else has waited for it.
    if (result > 0 || koffi.errno() !== interrupted) return true;
  }
}

/** A pipe whose ends no child inherits by itself. */
export function openPipeEnds(): { readonly read: number; readonly write: number } {
  const ends = new Uint8Array(8);
  // O_CLOEXEC
  if ((calls.pipe2(ends, 0o2_000_000) as number) < 0) throw new SystemCallError("pipe2", koffi.errno());
  const view = new DataView(ends.buffer);
  return { read: view.getInt32(0, true), write: view.getInt32(4, true) };
}
