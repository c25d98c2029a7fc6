/** Which capabilities a container's processes have. */

/** What containerd gives a container that asks for nothing. */
const defaultCapabilities = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_FSETID",
  "CAP_FOWNER",
  "CAP_MKNOD",
  "CAP_NET_RAW",
  "CAP_SETGID",
  "CAP_SETUID",
  "CAP_SETFCAP",
  "CAP_SETPCAP",
  "CAP_NET_BIND_SERVICE",
  "CAP_SYS_CHROOT",
  "CAP_KILL",
  "CAP_AUDIT_WRITE",
];

/** Every capability of <linux/capability.h>, by number. */
const allCapabilities = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_DAC_READ_SEARCH",
  "CAP_FOWNER",
  "CAP_FSETID",
  "CAP_KILL",
  "CAP_SETGID",
  "CAP_SETUID",
  "CAP_SETPCAP",
  "CAP_LINUX_IMMUTABLE",
  "CAP_NET_BIND_SERVICE",
  "CAP_NET_BROADCAST",
  "CAP_NET_ADMIN",
  "CAP_NET_RAW",
  "CAP_IPC_LOCK",
  "CAP_IPC_OWNER",
  "CAP_SYS_MODULE",
  "CAP_SYS_RAWIO",
  "CAP_SYS_CHROOT",
  "CAP_SYS_PTRACE",
  "CAP_SYS_PACCT",
  "CAP_SYS_ADMIN",
  "CAP_SYS_BOOT",
  "CAP_SYS_NICE",
  "CAP_SYS_RESOURCE",
  "CAP_SYS_TIME",
  "CAP_SYS_TTY_CONFIG",
  "CAP_MKNOD",
  "CAP_LEASE",
  "CAP_AUDIT_WRITE",
  "CAP_AUDIT_CONTROL",
  "CAP_SETFCAP",
  "CAP_MAC_OVERRIDE",
  "CAP_MAC_ADMIN",
  "CAP_SYSLOG",
  "CAP_WAKE_ALARM",
  "CAP_BLOCK_SUSPEND",
  "CAP_AUDIT_READ",
  "CAP_PERFMON",
  "CAP_BPF",
  "CAP_CHECKPOINT_RESTORE",
];

/**
 * The capabilities by OCI name, in the kernel's order. `added` and `dropped` are written as in a manifest, with or
 * without "CAP_", "ALL" included; as upstream, "ALL" is applied first, then what is added, then what is dropped.
 */
export function containerCapabilities(options: {
  readonly isPrivileged: boolean;
  readonly added: readonly string[];
  readonly dropped: readonly string[];
  /** What this process itself may give, by number. Where it lacks one, "all" are the others, as other runtimes have it. */
  readonly available: bigint;
}): readonly string[] {
  const added = options.added.map(ociName);
  const dropped = options.dropped.map(ociName);
  const all = allCapabilities.filter((_name, number) => ((options.available >> BigInt(number)) & 1n) === 1n);
  if (options.isPrivileged) return all;
  const result = new Set(added.includes("CAP_ALL") ? all : defaultCapabilities.filter((name) => all.includes(name)));
  if (dropped.includes("CAP_ALL")) result.clear();
  for (const name of added) result.add(name);
  for (const name of dropped) result.delete(name);
  return allCapabilities.filter((name) => result.has(name));
}

function ociName(name: string): string {
  const upper = name.toUpperCase();
  return upper.startsWith("CAP_") ? upper : `CAP_${upper}`;
}

/** Of /proc/self/status: what the process has and may pass on. */
export function capabilitiesOf(status: string): bigint {
  const mask = (name: string): bigint =>
    BigInt(`0x${new RegExp(`^${name}:\\s*([0-9a-f]+)$`, "m").exec(status)?.[1] ?? "0"}`);
  return mask("CapPrm") & mask("CapBnd");
}
