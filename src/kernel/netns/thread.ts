/**
 * The network namespace of this thread. It is the kernel's state, not ours: one record per thread (each Worker has its
 * own instance of this module) says where the thread is, so that `run` calls can be nested.
 */
import { closeSync, openSync } from "node:fs";
import { namespaceFlags, setns, unshare } from "../../machinery/libc/index.ts";

const thread: { current: number | undefined } = { current: undefined };

/** A descriptor of the namespace this thread is in now, opened once per thread. */
function currentNamespace(): number {
  thread.current ??= openSync("/proc/thread-self/ns/net", "r");
  return thread.current;
}

class AsynchronousWorkError extends Error {
  readonly code = "AsynchronousWork";
  override readonly name = "AsynchronousWorkError";
}

/** Runs `work` in the namespace of descriptor `fd`, and returns, also after a throw. */
export function runInNamespace<T>(fd: number, work: () => T): T {
  const former = currentNamespace();
  setns(fd, namespaceFlags.network);
  thread.current = fd;
  let result: T;
  try {
    result = work();
  } finally {
    setns(former, namespaceFlags.network);
    thread.current = former;
  }
  // What comes after the first await would run in the home namespace: say so now rather than act in the wrong place.
  if (result instanceof Promise) {
    result.catch(() => undefined);
    throw new AsynchronousWorkError("Cannot run asynchronous work in a network namespace: make it synchronous");
  }
  return result;
}

/** Runs `work` in a namespace made for it, which ends with the last thing that refers to it. */
export function runInNewNamespace<T>(work: () => T): T {
  const former = currentNamespace();
  unshare(namespaceFlags.network);
  try {
    return work();
  } finally {
    setns(former, namespaceFlags.network);
  }
}

/** Moves this thread for good. For Workers only: rootless, a thread that left the host's namespace cannot return. */
export function enterNamespace(path: string): void {
  const fd = openSync(path, "r");
  try {
    setns(fd, namespaceFlags.network);
  } finally {
    closeSync(fd);
  }
}
