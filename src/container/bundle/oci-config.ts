/**
 * Plans the `config.json` of an OCI bundle (runtime specification 1.0.2) for one container. Pure: everything that must
 * be looked up in the root file system or the machine comes in.
 */
import type { ContainerSpec, Mount } from "../runtime.ts";
import { containerCapabilities } from "./capabilities.ts";

/** The part of the specification we write. */
export interface OciConfig {
  readonly ociVersion: "1.0.2";
  readonly process: OciProcess;
  readonly root: { readonly path: string; readonly readonly: boolean };
  readonly hostname: string;
  readonly mounts: readonly OciMount[];
  readonly annotations: Readonly<Record<string, string>>;
  readonly linux: {
    readonly namespaces: readonly { readonly type: string; readonly path?: string }[];
    readonly sysctl: Readonly<Record<string, string>>;
    readonly maskedPaths: readonly string[];
    readonly readonlyPaths: readonly string[];
  };
}

/** Also what `exec` is given, as a file. */
export interface OciProcess {
  readonly terminal: boolean;
  readonly user: { readonly uid: number; readonly gid: number; readonly additionalGids?: readonly number[] };
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly capabilities: Readonly<Record<"bounding" | "effective" | "permitted" | "inheritable", readonly string[]>>;
  readonly noNewPrivileges: boolean;
  readonly oomScoreAdj?: number;
}

interface OciMount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

export interface ResolvedUser {
  readonly uid: number;
  readonly gid: number;
  readonly supplementalGroups: readonly number[];
  /** For HOME. */
  readonly home: string;
}

/** As runc's and containerd's defaults. */
const maskedPaths = [
  "/proc/asound",
  "/proc/acpi",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/sys/firmware",
  "/sys/devices/virtual/powercap",
];
const readonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/**
 * `isRootless`: within a user namespace that maps only some users, so the group of terminals and supplementary groups
 * cannot be set. `extraMounts` are those of the image (netloom's own program); the pod's come after and win.
 */
export function ociConfig(options: {
  readonly spec: ContainerSpec;
  readonly rootPath: string;
  readonly user: ResolvedUser;
  readonly extraMounts: readonly Mount[];
  readonly podNamespaces: { readonly uts: string; readonly ipc: string };
  readonly isRootless: boolean;
  /** The highest group there is: without newgidmap only group 0 exists in a user namespace. */
  readonly lastGroupId: number;
  readonly capabilities: bigint;
  readonly ownOomScoreAdj: number;
}): OciConfig {
  const { spec, rootPath, extraMounts, podNamespaces, isRootless } = options;
  return {
    ociVersion: "1.0.2",
    process: ociProcess({ ...options, argv: spec.argv, hasTerminal: spec.hasTerminal }),
    root: { path: rootPath, readonly: spec.isRootReadOnly },
    hostname: spec.hostname,
    mounts: [...systemMounts(spec.isPrivileged, isRootless), ...[...extraMounts, ...spec.mounts].map(bindMount)],
    annotations: {
      "io.kubernetes.cri.container-name": spec.name,
      "io.kubernetes.cri.sandbox-name": spec.pod.name,
      "io.kubernetes.cri.sandbox-namespace": spec.pod.namespace,
      "io.kubernetes.cri.sandbox-uid": spec.pod.uid,
    },
    linux: {
      namespaces: [
        { type: "pid" },
        { type: "mount" },
        { type: "network", path: spec.networkNamespacePath },
        { type: "uts", path: podNamespaces.uts },
        { type: "ipc", path: podNamespaces.ipc },
      ],
      sysctl: { ...networkDefaults(options.lastGroupId), ...spec.sysctls },
      maskedPaths: spec.isPrivileged ? [] : maskedPaths,
      readonlyPaths: spec.isPrivileged ? [] : readonlyPaths,
    },
  };
}

/** The kernel refuses more in ping_group_range. */
const lastPingGroup = 2_147_483_647;

/**
 * As containerd's defaults: any user may listen on port 80 and ping, since the network namespace is the pod's own. The
 * range of groups must exist in the user namespace.
 */
function networkDefaults(lastGroupId: number): Readonly<Record<string, string>> {
  return {
    "net.ipv4.ip_unprivileged_port_start": "0",
    "net.ipv4.ping_group_range": `0 ${Math.min(lastGroupId, lastPingGroup)}`,
  };
}

/** The process of a container or of an exec in it. */
export function ociProcess(options: {
  readonly spec: Pick<
    ContainerSpec,
    | "image"
    | "env"
    | "workingDir"
    | "hostname"
    | "isPrivileged"
    | "addedCapabilities"
    | "droppedCapabilities"
    | "hasNoNewPrivileges"
    | "oomScoreAdj"
  >;
  readonly argv: readonly string[];
  readonly hasTerminal: boolean;
  readonly user: ResolvedUser;
  readonly isRootless: boolean;
  /** Those of the process that starts it: `capabilitiesOf`. */
  readonly capabilities: bigint;
  /** Of the process that starts it, too: whoever is without privileges may only raise it. */
  readonly ownOomScoreAdj: number;
}): OciProcess {
  const { spec, argv, hasTerminal, user, isRootless } = options;
  const all = containerCapabilities({
    isPrivileged: spec.isPrivileged,
    added: spec.addedCapabilities,
    dropped: spec.droppedCapabilities,
    available: options.capabilities,
  });
  // Without ambient capabilities a program started by another user has none: the kernel drops them at execve.
  const held = user.uid === 0 ? all : [];
  return {
    terminal: hasTerminal,
    user: {
      uid: user.uid,
      gid: user.gid,
      ...(isRootless || user.supplementalGroups.length === 0 ? {} : { additionalGids: user.supplementalGroups }),
    },
    args: argv,
    env: environment(spec, { hasTerminal, home: user.home }),
    cwd: spec.workingDir || spec.image.workingDir || "/",
    capabilities: { bounding: all, effective: held, permitted: held, inheritable: [] },
    noNewPrivileges: spec.hasNoNewPrivileges ?? false,
    ...(spec.oomScoreAdj === undefined ? {} : { oomScoreAdj: Math.max(spec.oomScoreAdj, options.ownOomScoreAdj) }),
  };
}

/** The image's variables, then the pod's, which win; HOSTNAME, HOME and TERM where neither sets them. */
function environment(
  spec: Pick<ContainerSpec, "image" | "env" | "hostname">,
  options: { readonly hasTerminal: boolean; readonly home: string },
): readonly string[] {
  const values = new Map<string, string>([
    ["PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
    ["HOSTNAME", spec.hostname],
    ...(options.hasTerminal ? [["TERM", "xterm"] as const] : []),
  ]);
  for (const entry of [...spec.image.env, ...spec.env]) {
    const equals = entry.indexOf("=");
    values.set(equals < 0 ? entry : entry.slice(0, equals), equals < 0 ? "" : entry.slice(equals + 1));
  }
  if (!values.has("HOME")) values.set("HOME", options.home);
  return [...values].map(([name, value]) => `${name}=${value}`);
}

function systemMounts(isPrivileged: boolean, isRootless: boolean): readonly OciMount[] {
  const terminals = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"];
  return [
    { destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"] },
    {
      destination: "/dev",
      type: "tmpfs",
      source: "tmpfs",
      options: ["nosuid", "strictatime", "mode=755", "size=65536k"],
    },
    {
      destination: "/dev/pts",
      type: "devpts",
      source: "devpts",
      options: isRootless ? terminals : [...terminals, "gid=5"],
    },
    { destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: ["nosuid", "noexec", "nodev"] },
    {
      destination: "/dev/shm",
      type: "tmpfs",
      source: "shm",
      options: ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"],
    },
    {
      destination: "/sys",
      type: "sysfs",
      source: "sysfs",
      options: ["nosuid", "noexec", "nodev", isPrivileged ? "rw" : "ro"],
    },
  ];
}

/** Recursive, because within a user namespace a folder with locked mounts below it can only be bound with them. */
function bindMount({ source, target, isReadOnly }: Mount): OciMount {
  return { destination: target, type: "bind", source, options: ["rbind", "rprivate", isReadOnly ? "ro" : "rw"] };
}
