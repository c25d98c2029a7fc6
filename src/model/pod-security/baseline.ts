/** Level baseline: no known way out of the container. */
import { containersOf, eachMust, named, quotedList } from "./checks.ts";
import type { Check } from "./checks.ts";
import { quoted } from "../../api/go-text.ts";

const defaultCapabilities: ReadonlySet<string> = new Set([
  "AUDIT_WRITE",
  "CHOWN",
  "DAC_OVERRIDE",
  "FOWNER",
  "FSETID",
  "KILL",
  "MKNOD",
  "NET_BIND_SERVICE",
  "SETFCAP",
  "SETGID",
  "SETPCAP",
  "SETUID",
  "SYS_CHROOT",
]);
const safeSysctls: ReadonlySet<string> = new Set([
  "kernel.shm_rmid_forced",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.ip_local_reserved_ports",
  "net.ipv4.ip_unprivileged_port_start",
  "net.ipv4.ping_group_range",
  "net.ipv4.tcp_fin_timeout",
  "net.ipv4.tcp_keepalive_intvl",
  "net.ipv4.tcp_keepalive_probes",
  "net.ipv4.tcp_keepalive_time",
  "net.ipv4.tcp_rmem",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.tcp_wmem",
]);
const safeSeLinuxTypes: ReadonlySet<string> = new Set([
  "",
  "container_t",
  "container_init_t",
  "container_kvm_t",
  "container_engine_t",
]);

/** In upstream's order: by the check's name. */
export const baselineChecks: readonly Check[] = [
  {
    reason: "non-default capabilities",
    isRefined: true,
    find: (spec) => {
      const added = (list: readonly string[] = []): readonly string[] =>
        list.filter((one) => !defaultCapabilities.has(one));
      const bad = containersOf(spec).filter(
        ({ securityContext }) => added(securityContext?.capabilities?.add).length > 0,
      );
      const names = named(bad);
      if (names === undefined) return [];
      const all = bad.flatMap(({ securityContext }) => added(securityContext?.capabilities?.add));
      return [`${names} must not include ${quotedList(all)} in securityContext.capabilities.add`];
    },
  },
  {
    reason: "host namespaces",
    find: ({ hostNetwork, hostPID, hostIPC }) => {
      const used = [
        ...(hostNetwork === true ? ["hostNetwork=true"] : []),
        ...(hostPID === true ? ["hostPID=true"] : []),
        ...(hostIPC === true ? ["hostIPC=true"] : []),
      ];
      return used.length === 0 ? [] : [used.join(", ")];
    },
  },
  {
    reason: "hostPath volumes",
    isRefined: true,
    find: ({ volumes = [] }) => {
      const bad = volumes.filter(({ hostPath }) => hostPath !== undefined);
      return bad.length === 0
        ? []
        : [`volume${bad.length === 1 ? "" : "s"} ${bad.map(({ name }) => quoted(name)).join(", ")}`];
    },
  },
  {
    reason: "hostPort",
    find: (spec) => {
      const ports = (container: ReturnType<typeof containersOf>[number]): readonly number[] =>
        (container.ports ?? []).flatMap(({ hostPort = 0 }) => (hostPort === 0 ? [] : [hostPort]));
      const bad = containersOf(spec).filter((container) => ports(container).length > 0);
      const names = named(bad);
      if (names === undefined) return [];
      const all = [...new Set(bad.flatMap(ports))].toSorted((a, b) => a - b);
      const verb = bad.length === 1 ? "uses" : "use";
      return [`${names} ${verb} hostPort${all.length === 1 ? "" : "s"} ${all.join(", ")}`];
    },
  },
  {
    reason: "privileged",
    find: (spec) =>
      eachMust(
        spec,
        ({ securityContext }) => securityContext?.privileged === true,
        "must not set securityContext.privileged=true",
      ),
  },
  {
    reason: "procMount",
    find: (spec) => {
      const bad = containersOf(spec).filter(
        ({ securityContext }) => (securityContext?.procMount ?? "Default") !== "Default",
      );
      const names = named(bad);
      if (names === undefined) return [];
      const values = quotedList(bad.map(({ securityContext }) => securityContext?.procMount ?? ""));
      return [`${names} must not set securityContext.procMount to ${values}`];
    },
  },
  {
    reason: "seLinuxOptions",
    find: (spec) => {
      const isBad = (options: { readonly type?: string; readonly user?: string; readonly role?: string } | undefined) =>
        options !== undefined &&
        (!safeSeLinuxTypes.has(options.type ?? "") || (options.user ?? "") !== "" || (options.role ?? "") !== "");
      const ofPod = isBad(spec.securityContext?.seLinuxOptions)
        ? ["pod set forbidden securityContext.seLinuxOptions"]
        : [];
      return [
        ...ofPod,
        ...eachMust(
          spec,
          (one) => isBad(one.securityContext?.seLinuxOptions),
          "set forbidden securityContext.seLinuxOptions",
        ),
      ];
    },
  },
  {
    reason: "seccompProfile",
    isRefined: true,
    find: (spec) => [
      ...(spec.securityContext?.seccompProfile?.type === "Unconfined"
        ? ['pod must not set securityContext.seccompProfile.type to "Unconfined"']
        : []),
      ...eachMust(
        spec,
        ({ securityContext }) => securityContext?.seccompProfile?.type === "Unconfined",
        'must not set securityContext.seccompProfile.type to "Unconfined"',
      ),
    ],
  },
  {
    reason: "forbidden sysctls",
    find: ({ securityContext }) => {
      const bad = (securityContext?.sysctls ?? []).map(({ name }) => name).filter((name) => !safeSysctls.has(name));
      return bad.length === 0 ? [] : [bad.join(", ")];
    },
  },
];
