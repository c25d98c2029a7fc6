/** A root file system as an overlay: layers below, a private writable folder above. Works in a user namespace too. */
import { chmodSync, lstatSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { dirname, join } from "node:path";
import { ContainerError } from "../errors.ts";
import { mount, mountFlags, SystemCallError, unmountAll } from "../../machinery/libc/index.ts";

/** What a root is made of; the first folder of a list lies on top. */
export interface RootLayers {
  readonly lowers: readonly string[];
  /** Layers of /usr, which is an overlay of its own, because the machine's is among them; [] where the root's has all. */
  readonly usrLowers: readonly string[];
}

/**
 * Mounts the root at `<folder>/rootfs`; what is written to it lies in `<folder>/upper` and `<folder>/usr-upper`.
 * `mountPoints` (absolute, inside) are made beforehand: rootless, none can be made in the machine's own folders later.
 */
export function mountRoot(
  folder: string,
  layers: RootLayers,
  options: {
    readonly mountPoints: readonly { readonly target: string; readonly isFolder: boolean }[];
    readonly isRootless: boolean;
    /** crun makes the root itself read-only, but not /usr, which is a mount of its own. */
    readonly isReadOnly: boolean;
  },
): string {
  const target = join(folder, "rootfs");
  mkdirSync(target, { recursive: true });
  const hasOwnUsr = layers.usrLowers.length > 0;
  const isInUsr = (path: string): boolean => hasOwnUsr && path.startsWith("/usr/");
  const { mountPoints, isRootless, isReadOnly } = options;
  overlay({
    target,
    lowers: layers.lowers,
    upper: join(folder, "upper"),
    work: join(folder, "work"),
    mountPoints: mountPoints.filter((point) => !isInUsr(point.target)),
    isRootless,
    isReadOnly: false,
  });
  if (hasOwnUsr) {
    overlay({
      target: join(target, "usr"),
      lowers: layers.usrLowers,
      upper: join(folder, "usr-upper"),
      work: join(folder, "usr-work"),
      mountPoints: mountPoints
        .filter((point) => isInUsr(point.target))
        .map((point) => ({ ...point, target: point.target.slice("/usr".length) })),
      isRootless,
      isReadOnly,
    });
  }
  return target;
}

/** Unmounts what `mountRoot` mounted and removes the folder. Harmless when half of it is missing. */
export function removeRoot(folder: string): void {
  for (const target of [join(folder, "rootfs/usr"), join(folder, "rootfs")]) unmountAll(target);
  rmSync(folder, { recursive: true, force: true });
}

/** Mounts `folders` over one another, read-only. */
export function mountReadOnlyLayers(target: string, folders: readonly string[]): void {
  mountOverlay(target, mountFlags.readOnly, `lowerdir=${folders.map(escape).join(":")}`);
}

function overlay(options: {
  readonly target: string;
  readonly lowers: readonly string[];
  readonly upper: string;
  readonly work: string;
  readonly mountPoints: readonly { readonly target: string; readonly isFolder: boolean }[];
  readonly isRootless: boolean;
  readonly isReadOnly: boolean;
}): void {
  const { target, lowers, upper, work, mountPoints, isRootless, isReadOnly } = options;
  mkdirSync(upper, { recursive: true });
  mkdirSync(work, { recursive: true });
  chmodSync(upper, modeOf(lowers, "") ?? 0o755);
  for (const point of mountPoints) makeMountPoint(upper, lowers, point);
  const layers = `lowerdir=${lowers.map(escape).join(":")},upperdir=${escape(upper)},workdir=${escape(work)}`;
  // In a user namespace only user.* attributes can be written; the option needs kernel 5.11, as overlays there do.
  mountOverlay(target, isReadOnly ? mountFlags.readOnly : 0, isRootless ? `${layers},userxattr` : layers);
}

/** The kernel's errno alone would leave the user at a loss. */
function mountOverlay(target: string, flags: number, data: string): void {
  try {
    mount({ source: "overlay", target, type: "overlay", flags, data });
  } catch (error) {
    if (!(error instanceof SystemCallError) || !["EPERM", "ENODEV", "EINVAL"].includes(error.code)) throw error;
    throw new ContainerError(
      "CreateContainerError",
      `Cannot mount the root file system ${target} as an overlay: ${error.code} on Linux ${release()}; without root that needs 5.11 or newer, and always the module "overlay": run "modprobe overlay", or netloom as root`,
      { cause: error },
    );
  }
}

/** Folders in `upper` hide those below it, so they are given the mode of what they hide. */
function makeMountPoint(
  upper: string,
  lowers: readonly string[],
  point: { readonly target: string; readonly isFolder: boolean },
): void {
  const parts = point.target.split("/").filter((part) => part !== "" && part !== ".");
  // Through a link the runtime finds its own way: made here, a folder would hide the link.
  if (parts.includes("..") || passesLink(lowers, parts)) return;
  const folders = point.isFolder ? parts : parts.slice(0, -1);
  folders.forEach((_, index) => {
    const path = folders.slice(0, index + 1).join("/");
    mkdirSync(join(upper, path), { recursive: true });
    chmodSync(join(upper, path), modeOf(lowers, path) ?? 0o755);
  });
  if (!point.isFolder) {
    const file = join(upper, ...parts);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, "");
  }
}

function passesLink(lowers: readonly string[], parts: readonly string[]): boolean {
  return parts.some((_, index) => {
    const path = parts.slice(0, index + 1).join("/");
    const stats = lowers.map((lower) => lstatSync(join(lower, path), { throwIfNoEntry: false }));
    return stats.find((stat) => stat !== undefined)?.isSymbolicLink() ?? false;
  });
}

function modeOf(lowers: readonly string[], path: string): number | undefined {
  for (const lower of lowers) {
    const stat = statSync(join(lower, path), { throwIfNoEntry: false });
    if (stat !== undefined) return stat.mode & 0o7777;
  }
  return undefined;
}

function escape(path: string): string {
  return path.replace(/[\\:,]/g, (character) => `\\${character}`);
}
