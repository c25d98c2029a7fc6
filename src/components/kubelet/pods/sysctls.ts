/** Settings of the kernel that a pod asks for, in its own namespaces. */
import type { Pod } from "../../../api/generated/types.ts";

/** Those that reach nothing outside of the pod, as upstream's kubelet lists them. Others need an administrator's leave. */
const safe = new Set([
  "kernel.shm_rmid_forced",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.ping_group_range",
  "net.ipv4.ip_unprivileged_port_start",
  "net.ipv4.ip_local_reserved_ports",
  "net.ipv4.tcp_keepalive_time",
  "net.ipv4.tcp_fin_timeout",
  "net.ipv4.tcp_keepalive_intvl",
  "net.ipv4.tcp_keepalive_probes",
  "net.ipv4.tcp_rmem",
  "net.ipv4.tcp_wmem",
]);

/** By name with dots, as the runtime wants it; manifests may write slashes. */
export function sysctlsOf({ spec }: Pod): Readonly<Record<string, string>> {
  const asked = spec?.securityContext?.sysctls ?? [];
  return Object.fromEntries(asked.map(({ name, value }) => [dotted(name), value]));
}

/** Slashes separate where the first separator is one: then a dot belongs to a name, such as a link's. */
function dotted(name: string): string {
  const separator = /[./]/.exec(name)?.[0];
  if (separator !== "/") return name;
  return name.replace(/[./]/g, (character) => (character === "/" ? "." : "/"));
}

/** Why the node does not run the pod for its sysctls; undefined where it may. */
export function forbiddenSysctl(pod: Pod): string | undefined {
  for (const name of Object.keys(sysctlsOf(pod))) {
    if (!safe.has(name)) return `forbidden sysctl: "${name}" not allowlisted`;
    if (pod.spec?.hostNetwork === true && name.startsWith("net.")) {
      return `forbidden sysctl: "${name}" not allowed with host net enabled`;
    }
    if (pod.spec?.hostIPC === true && name.startsWith("kernel.")) {
      return `forbidden sysctl: "${name}" not allowed with host ipc enabled`;
    }
  }
  return undefined;
}
