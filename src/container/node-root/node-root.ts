/** The root file system of a lab node: the machine's programs, and an /etc, /var, /root, /home, /tmp and /run of its own. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { mount, mountFlags, mountFlagsOf, unmountAll } from "../../machinery/libc/index.ts";
import { clusterPaths, type ClusterConfig, type NodeConfig } from "../../model/cluster-config.ts";
import { nodeHostsFile } from "../../model/pod-files/index.ts";
import { machineBinds, machineUsrLayers, makeMachineBase } from "../machine/machine-base.ts";
import { readUserMap } from "../machine/user-namespace.ts";
import { mountReadOnlyLayers, mountRoot } from "../root/overlay.ts";

/** MS_MOVE of <linux/mount.h>. */
const moveFlag = 8192;
/** What a node keeps over a stop of its cluster. */
const keptFolders = ["var", "root", "home", "srv"];
const devices = ["null", "zero", "full", "random", "urandom", "tty"];
const deviceLinks = { fd: "/proc/self/fd", stdin: "fd/0", stdout: "fd/1", stderr: "fd/2", ptmx: "pts/ptmx" } as const;

type Config = Pick<ClusterConfig, "stateDir" | "runDir" | "toolsDir" | "nodes" | "controlPlaneAddresses">;

/**
 * Makes the node's root in the cluster's mount namespace and returns its path, `clusterPaths(config).nodeRoot(name)`;
 * of one that stands only the names of the nodes are brought up to date. Everything in it ends with that namespace, except what lies in the node's state folder.
 */
export function composeNodeRoot({
  config,
  node,
}: {
  readonly config: Config;
  readonly node: Pick<NodeConfig, "name">;
}): string {
  const paths = clusterPaths(config);
  const root = paths.nodeRoot(node.name);
  if (isComposed(root)) {
    updateNodeNames({ config, node });
    return root;
  }
  const templates = `${paths.private}/templates`;
  const usrLayers = machineUsrLayers(config.toolsDir, templates);
  const folder = join(paths.private, "nodes", node.name, "disk");
  mkdirSync(templates, { recursive: true });
  mkdirSync(folder, { recursive: true });
  mkdirSync(root, { recursive: true });
  // What an agent has mounted that was killed on the way; with it goes all that it mounted inside.
  unmountAll(join(folder, "rootfs"));
  const mounted = mountRoot(
    folder,
    { lowers: [makeMachineBase(templates)], usrLowers: [] },
    { mountPoints: [], isRootless: readUserMap().isRootless, isReadOnly: false },
  );
  keepFolders(paths.nodeState(node.name), mounted);
  writeNames(mounted, config, node.name);
  if (usrLayers.length > 1) mountReadOnlyLayers(join(mounted, "usr"), usrLayers);
  else bindReadOnly("/usr", join(mounted, "usr"));
  for (const { source, target } of machineBinds()) bindReadOnly(source, join(mounted, target));
  if (existsSync("/opt")) bindReadOnly("/opt", join(mounted, "opt"));
  mountDevices(join(mounted, "dev"));
  for (const name of ["proc", "sys"]) bind(`/${name}`, join(mounted, name));
  for (const name of ["tmp", "run"]) {
    mount({
      source: "tmpfs",
      target: join(mounted, name),
      type: "tmpfs",
      data: name === "tmp" ? "mode=1777" : "mode=755",
    });
  }
  // Only a complete root appears at its place.
  mount({ source: mounted, target: root, flags: moveFlag });
  return root;
}

/** It is moved to its place when it is complete. */
function isComposed(root: string): boolean {
  return existsSync(join(root, "etc/hostname"));
}

/** The first boot fills the kept folders with what the base has there. */
function keepFolders(stateDir: string, root: string): void {
  for (const name of keptFolders) {
    const kept = join(stateDir, name);
    const target = join(root, name);
    mkdirSync(kept, { recursive: true });
    chmodSync(kept, statSync(target).mode & 0o7777);
    if (name === "var") makeVar(kept);
    bind(kept, target);
  }
}

function makeVar(path: string): void {
  for (const name of ["cache", "lib", "log", "spool", "tmp"]) mkdirSync(join(path, name), { recursive: true });
  chmodSync(join(path, "tmp"), 0o1777);
  if (!existsSync(join(path, "run"))) {
    try {
      symlinkSync("/run", join(path, "run"));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
}

/**
 * Brings the `/etc/hosts` of a node that runs to the nodes of `config`: as one file or the other, never half of one.
 * What somebody added to it stays.
 */
export function updateNodeNames(options: { readonly config: Config; readonly node: Pick<NodeConfig, "name"> }): void {
  writeHosts(clusterPaths(options.config).nodeRoot(options.node.name), options.config);
}

function writeHosts(root: string, { nodes, controlPlaneAddresses }: Config): void {
  const path = join(root, "etc/hosts");
  const present = readOr(path);
  const wanted = nodeHostsFile(present, [...nodes, { addresses: controlPlaneAddresses, name: "control-plane" }]);
  if (wanted === present) return;
  writeFileSync(`${path}.new`, wanted);
  renameSync(`${path}.new`, path);
}

/** Nodes know each other and the control plane by name; they ask the machine's resolvers. */
function writeNames(root: string, config: Config, name: string): void {
  writeHosts(root, config);
  writeFileSync(join(root, "etc/resolv.conf"), readOr("/etc/resolv.conf"));
  writeFileSync(join(root, "etc/machine-id"), machineId(name));
  writeFileSync(join(root, "etc/hostname"), `${name}\n`);
}

/** Stable per node name, 32 hexadecimal digits as systemd's. */
function machineId(name: string): string {
  return `${Buffer.from(name).toString("hex").padEnd(32, "0").slice(0, 32)}\n`;
}

/** As a container's: the few devices that give access to nothing, terminals and shared memory of its own. */
function mountDevices(target: string): void {
  mount({ source: "tmpfs", target, type: "tmpfs", flags: mountFlags.noSuid, data: "mode=755" });
  for (const name of devices.filter((device) => existsSync(`/dev/${device}`))) {
    writeFileSync(join(target, name), "");
    bind(`/dev/${name}`, join(target, name));
  }
  for (const [name, to] of Object.entries(deviceLinks)) symlinkSync(to, join(target, name));
  for (const name of ["pts", "shm"]) mkdirSync(join(target, name));
  mount({ source: "devpts", target: join(target, "pts"), type: "devpts", data: "newinstance,ptmxmode=0666,mode=620" });
  mount({ source: "tmpfs", target: join(target, "shm"), type: "tmpfs", data: "mode=1777" });
}

/** Recursive: within a user namespace what is mounted below must come along. */
function bind(source: string, target: string): void {
  mount({ source, target, flags: mountFlags.bind | mountFlags.recursive });
}

function bindReadOnly(source: string, target: string): void {
  bind(source, target);
  // The kernel refuses to loosen the flags a mount came with into a user namespace: they are repeated.
  const flags = mountFlags.bind | mountFlags.remount | mountFlags.readOnly | mountFlagsOf(target);
  mount({ source: "none", target, flags });
}

function readOr(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
