/** What crun is given of a container: its root, mounted, `config.json`, and the processes that join it later. */
import { lstatSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { capabilitiesOf } from "../bundle/capabilities.ts";
import { ociConfig, ociProcess, type ResolvedUser } from "../bundle/oci-config.ts";
import { resolveUser } from "../bundle/user.ts";
import { ContainerError } from "../errors.ts";
import type { ContainerImages } from "../images/image-service.ts";
import { readUserMap, type UserMap } from "../machine/user-namespace.ts";
import { mountRoot } from "../root/overlay.ts";
import { readInRoot, resolveInRoot } from "../root/scoped-path.ts";
import type { ContainerSpec, ExecOptions } from "../runtime.ts";
import { pinPodNamespaces } from "./pod-namespaces.ts";

export interface Bundles {
  /**
   * Mounts the container's root below `folder` and writes the configuration beside it; `podFolder` keeps what the
   * containers of its pod share. Throws `ContainerError` or `ImageError`; what was mounted by then is the caller's.
   */
  prepare(spec: ContainerSpec, place: { readonly folder: string; readonly podFolder: string }): void;
  /** The process of an exec in the container whose bundle is in `folder`. Throws `ContainerError`. */
  processOf(
    spec: ContainerSpec,
    folder: string,
    wanted: Pick<ExecOptions, "command" | "hasTerminal">,
  ): ReturnType<typeof ociProcess>;
}

/** Reads what this process itself may do: containers get no more. */
export function createBundles({
  images,
  users,
}: {
  readonly images: ContainerImages;
  readonly users: UserMap;
}): Bundles {
  const { isRootless } = users;
  const lastGroupId = readUserMap("/proc/self/gid_map").last;
  const capabilities = capabilitiesOf(readFileSync("/proc/self/status", "utf8"));
  const ownOomScoreAdj = Number(readFileSync("/proc/self/oom_score_adj", "utf8"));

  function userOf(spec: ContainerSpec, rootPath: string): ResolvedUser {
    const user = resolveUser({
      asked: spec.user,
      ofImage: spec.image.user,
      passwd: readInRoot(rootPath, "/etc/passwd"),
      group: readInRoot(rootPath, "/etc/group"),
    });
    if (users.has(user.uid)) return user;
    throw new ContainerError(
      "CreateContainerError",
      `Cannot run as user ${user.uid}: this cluster runs without root and has only user 0; install "uidmap" and give your user a range in /etc/subuid, or run netloom as root`,
    );
  }

  return {
    prepare: (spec, { folder, podFolder }) => {
      const { layers, mounts: extraMounts } = images.root(spec.image);
      const mountPoints = [...extraMounts, ...spec.mounts].map(({ source, target }) => ({
        target,
        isFolder: isFolder(source, target),
      }));
      const rootPath = mountRoot(folder, layers, { mountPoints, isRootless, isReadOnly: spec.isRootReadOnly });
      const user = userOf(spec, rootPath);
      makeWorkingFolder(rootPath, spec);
      const config = ociConfig({
        spec,
        rootPath,
        user,
        extraMounts,
        podNamespaces: pinPodNamespaces(podFolder),
        isRootless,
        lastGroupId,
        capabilities,
        ownOomScoreAdj,
      });
      writeFileSync(join(folder, "config.json"), JSON.stringify(config));
    },
    processOf: (spec, folder, { command: argv, hasTerminal }) => {
      const user = userOf(spec, join(folder, "rootfs"));
      return ociProcess({ spec, argv, hasTerminal, user, isRootless, capabilities, ownOomScoreAdj });
    },
  };
}

function isFolder(source: string, target: string): boolean {
  const stat = statSync(source, { throwIfNoEntry: false });
  if (stat !== undefined) return stat.isDirectory();
  throw new ContainerError("CreateContainerError", `Cannot mount ${source} on ${target}: no such file or directory`);
}

/** As other runtimes, a working folder that the image lacks is made. */
function makeWorkingFolder(rootPath: string, spec: ContainerSpec): void {
  const path = resolveInRoot(rootPath, spec.workingDir || spec.image.workingDir || "/");
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) mkdirSync(path, { recursive: true });
}
