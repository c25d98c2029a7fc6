/** Containers of a node: runtime, images, the node's own root. */
import { existsSync, readdirSync, statfsSync } from "node:fs";
import { clusterPaths, type ClusterConfig, type NodeConfig } from "../model/cluster-config.ts";
import type { Clock } from "../machinery/clock.ts";
import type { OutputKeeper } from "../machinery/control-socket/index.ts";
import type { Logger } from "../machinery/log.ts";
import { mount, SystemCallError, unmount } from "../machinery/libc/index.ts";
import { findTool } from "../machinery/tools.ts";
import { createCrunRuntime } from "./crun/crun-runtime.ts";
import { leaveHostNamespaces } from "./crun/pod-namespaces.ts";
import { createCatalogSource, type CatalogSource } from "./images/catalog-source.ts";
import { createImageService } from "./images/image-service.ts";
import { createLoadedImages, type LoadedImages } from "./images/loaded-images.ts";
import { readUserMap } from "./machine/user-namespace.ts";
import type { ContainerRuntime, Image } from "./runtime.ts";

export { ContainerError } from "./errors.ts";
export type { CatalogSource } from "./images/catalog-source.ts";
export { composeNodeRoot, updateNodeNames } from "./node-root/node-root.ts";
export {
  makeEmptyDir,
  makeHostFolder,
  makeMemoryDir,
  makeSubPath,
  readVolumeFile,
  removeVolumes,
  resolveHostPath,
  writeAtomicVolume,
  type VolumeFile,
} from "./volumes/index.ts";
export type * from "./runtime.ts";

type Paths = Pick<ClusterConfig, "stateDir" | "runDir" | "toolsDir">;

/**
 * The runtime of one node, with the containers that an earlier process left. Must be called in the cluster's mount and
 * PID namespaces, after `prepareContainerHost`. Throws `ToolMissingError` where crun or conmon is not to be found.
 */
export function createContainerRuntime(options: {
  readonly config: Paths & Pick<ClusterConfig, "images">;
  readonly node: Pick<NodeConfig, "name">;
  /** Absent: what a container without monitor says while no agent runs is lost. */
  readonly outputs?: OutputKeeper | undefined;
  /** What the runtimes of several nodes share: `createImageCatalog`. Absent: its own. */
  readonly catalog?: CatalogSource | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}): ContainerRuntime {
  const { config, node, outputs, clock, log } = options;
  const users = readUserMap();
  return createCrunRuntime({
    runDir: clusterPaths(config).nodeRun(node.name),
    tools: { crun: findTool("crun", config.toolsDir), conmon: findTool("conmon", config.toolsDir) },
    images: createImageService({
      loaded: loadedImages(config),
      catalog: options.catalog ?? createImageCatalog(config),
      sources: config.images,
    }),
    users,
    outputs,
    clock,
    log,
  });
}

/** The catalog's images, in the cluster's namespaces. It asks each program for its version once: processes for each node. */
export function createImageCatalog(config: Paths): CatalogSource {
  return catalogSource(config, !readUserMap().has(serverUser));
}

/** The images a cluster can run: those of the catalog, and those loaded into it. For the host's commands. */
export function createImageStore(config: Paths): ImageStore {
  const loaded = loadedImages(config);
  return {
    list: () => [...loaded.list(), ...catalogSource(config, process.getuid?.() !== 0).list()],
    load: (file) => loaded.load(file),
    remove: (name) => loaded.remove(name),
    sweep: () => loaded.sweep(),
  };
}

export interface ImageStore {
  list(): readonly Image[];
  /** Loads an archive of `docker save`, `podman save` or `skopeo`. Rejects with `ArchiveError`. */
  load(file: string): Promise<readonly Image[]>;
  /** Removes a loaded image's name. Throws `ImageError` where there is none. */
  remove(name: string): void;
  /** Removes what killed loads and removals left. Only while nobody else loads or removes. */
  sweep(): void;
}

function loadedImages(config: Paths): LoadedImages {
  return createLoadedImages(`${config.stateDir}/images`);
}

function catalogSource(config: Paths, isRootless: boolean): CatalogSource {
  const templatesDir = `${clusterPaths(config).private}/templates`;
  const hasIpv6 = existsSync("/proc/net/if_inet6");
  return createCatalogSource({ toolsDir: config.toolsDir, templatesDir, isRootless, hasIpv6 });
}

/** Stands for the users of servers (www-data, nginx): where it exists, they do. */
const serverUser = 101;
/** One mount per controller, which each node's /sys would repeat; without root they came locked, and are only covered. */
function leaveOut(tree: string): void {
  try {
    unmount(tree, { isLazy: true });
  } catch (error) {
    if (!(error instanceof SystemCallError && ["EINVAL", "EPERM"].includes(error.code))) throw error;
  }
}

const tmpfsMagic = 0x0102_1994;
const cgroup2Magic = 0x6367_7270;

/**
 * Once per agent process, on its main thread, before the first runtime: leaves the host's UTS and IPC namespaces (for
 * this thread and what it starts) and hides a cgroup tree that crun refuses, in the cluster's mount namespace only: one
 * of both versions, or a plain folder, as a container of another runtime may have. An empty tmpfs is fine with crun.
 */
export function prepareContainerHost(): void {
  leaveHostNamespaces();
  const tree = "/sys/fs/cgroup";
  if (!existsSync(tree)) return;
  const { type } = statfsSync(tree);
  const isAccepted = type === cgroup2Magic || (type === tmpfsMagic && readdirSync(tree).length === 0);
  if (isAccepted) return;
  leaveOut(tree);
  mount({ source: "tmpfs", target: tree, type: "tmpfs" });
}
