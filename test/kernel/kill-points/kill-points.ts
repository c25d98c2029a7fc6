/**
 * Lets a process kill itself at a chosen instant: just before its n-th call that changes files, mounts, namespaces or the
 * network, or starts a program. What is told to a Worker or done by it is not counted. Load this before what is tested.
 */
import childProcess from "node:child_process";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { basename } from "node:path";
import koffi from "koffi";

let left = Number.POSITIVE_INFINITY;
let passed = 0;
let names: string[] = [];
let spawnDelayMs: number | undefined;

/** From now on calls count; the process dies before the `at`-th, 1 being the next. */
export function dieAt(at: number): void {
  left = at;
  passed = 0;
  names = [];
}

/** How many were passed since `dieAt`. */
export function passedPoints(): number {
  return passed;
}

/** The calls that were passed since `dieAt`: "writeFileSync cluster.json", "spawn sh". */
export function passedNames(): readonly string[] {
  return names;
}

/** Dies `ms` milliseconds after the next program was started. */
export function dieAfterSpawn(ms: number): void {
  spawnDelayMs = ms;
}

function noteSpawn(name: string): void {
  point(name);
  if (spawnDelayMs === undefined) return;
  // Blocks all that the process would do meanwhile: only the program goes on.
  setImmediate((delayMs: number) => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, delayMs);
    process.kill(process.pid, "SIGKILL");
  }, spawnDelayMs);
}

function point(name: string): void {
  left -= 1;
  if (left > 0) {
    passed += 1;
    names.push(name);
    return;
  }
  process.kill(process.pid, "SIGKILL");
  // The signal comes with the return of its own system call.
  throw new Error("alive after SIGKILL");
}

type Call = (...args: never[]) => unknown;

function before<T extends Call>(call: T, hook: (...args: Parameters<T>) => void): T {
  return ((...args: Parameters<T>) => {
    hook(...args);
    return call(...args);
  }) as T;
}

/** A point before each call, named after it and the file or program it is about. */
const counted = <T extends Call>(call: T, name: string): T =>
  before(call, (...[first]: Parameters<T>) => point(nameOf(name, first)));

const nameOf = (call: string, about: unknown): string =>
  `${call} ${typeof about === "string" ? basename(about) : ""}`.trim();

const { openSync, closeSync } = fs;
const isWrite = (flags: string | number = "r"): boolean =>
  typeof flags === "number"
    ? (flags & (fs.constants.O_WRONLY | fs.constants.O_RDWR | fs.constants.O_CREAT)) !== 0
    : /[wa+]/.test(flags);

fs.openSync = before(fs.openSync, (path, flags) => isWrite(flags) && point(nameOf("openSync", path)));
fs.mkdirSync = counted(fs.mkdirSync as Call, "mkdirSync") as typeof fs.mkdirSync;
fs.renameSync = counted(fs.renameSync, "renameSync");
fs.rmSync = counted(fs.rmSync, "rmSync");
fs.chmodSync = counted(fs.chmodSync, "chmodSync");
fs.unlinkSync = counted(fs.unlinkSync, "unlinkSync");
fs.symlinkSync = before(fs.symlinkSync, (_target, path) => point(nameOf("symlinkSync", path)));
fs.writeSync = counted(fs.writeSync as Call, "writeSync") as typeof fs.writeSync;
fs.writeFileSync = before(fs.writeFileSync, (path) => {
  point(nameOf("writeFileSync", path));
  // Not one system call but two: the file may be there and empty.
  if (left === 1 && typeof path === "string") closeSync(openSync(path, "w"));
  point(nameOf("writeFileSync (empty)", path));
});
const spawnPoint = (command: unknown): void => noteSpawn(nameOf("spawn", command));
childProcess.spawn = before(childProcess.spawn as Call, spawnPoint) as typeof childProcess.spawn;
childProcess.spawnSync = before(childProcess.spawnSync as Call, spawnPoint) as typeof childProcess.spawnSync;
syncBuiltinESMExports();

const changing = /\b(mount|umount2|unshare|send)\(/;
const spawning = /\bposix_spawn\(/;
/** Of rtnetlink's messages every fourth type asks only: struct nlmsghdr has the type at byte 4. */
const asks = (bytes: unknown): boolean =>
  bytes instanceof Uint8Array && new DataView(bytes.buffer, bytes.byteOffset).getUint16(4, true) % 4 === 2;

const load = koffi.load;
koffi.load = ((...args: Parameters<typeof load>) => {
  const library = load(...args);
  const func = (...definition: Parameters<typeof library.func>): unknown => {
    const call = library.func(...definition);
    if (spawning.test(definition[0])) return before(call as Call, noteSpawn);
    return changing.test(definition[0])
      ? before(call as Call, (_fd: unknown, bytes: unknown) => !asks(bytes) && point(definition[0]))
      : call;
  };
  return { func };
}) as unknown as typeof load;
