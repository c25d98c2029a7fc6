/** Values under /proc/sys/net, which belong to the network namespace of the thread that opens them. */
import { readFileSync, writeFileSync } from "node:fs";

/** `code` is the errno's name ("ENOENT": the kernel or the link has no such setting). */
export class SysctlError extends Error {
  readonly code: string;
  override readonly name = "SysctlError";

  constructor(action: string, cause: unknown) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "UNKNOWN";
    super(`Cannot ${action}: ${code}`, { cause });
    this.code = code;
  }
}

/** The value, several numbers separated by one space. `key` with slashes, so that link names with dots work: "net/ipv4/conf/eth0.5/rp_filter". */
export function readSysctl(key: string): string {
  const path = sysctlPath(key);
  try {
    return readFileSync(path, "utf8").trim().replaceAll(/\s+/g, " ");
  } catch (error) {
    throw new SysctlError(`read sysctl "${key}"`, error);
  }
}

/** Writes without reading first: the kernel takes equal values. Synchronous, so that it acts in this thread's namespace. */
export function writeSysctl(key: string, value: string): void {
  const path = sysctlPath(key);
  try {
    writeFileSync(path, value);
  } catch (error) {
    throw new SysctlError(`set sysctl "${key}" to "${value}"`, error);
  }
}

function sysctlPath(key: string): string {
  if (!/^net(\/[\w.:@-]+)+$/.test(key) || key.split("/").includes("..")) {
    throw new RangeError(`"${key}" is no name under net/`);
  }
  return `/proc/sys/${key}`;
}
