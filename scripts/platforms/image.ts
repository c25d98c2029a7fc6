/** Builds a system's disk, kernel and initrd from Debian's packages, once; every machine then writes to a layer above it. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "./run.ts";
import { packages, processors, systems } from "./systems.ts";
import type { ProcessorName, SystemName } from "./systems.ts";

export interface Image {
  /** Raw ext4, never written to after it is built. */
  readonly disk: string;
  readonly kernel: string;
  readonly initrd: string;
}

export interface ImageOptions {
  readonly system: SystemName;
  readonly arch: ProcessorName;
  /** Debian packages beside the ordinary ones; each set is an image of its own. */
  readonly extraPackages: readonly string[];
  /** The folder all images lie in. */
  readonly folder: string;
}

const diskSize = "12G"; // sparse: what is used is about 1 GB

/** The image's paths, whether or not it has been built. */
export function imageOf({ system, arch, extraPackages, folder }: ImageOptions): Image & { readonly folder: string } {
  const own = join(folder, [system, arch, ...extraPackages].join("+"));
  return { folder: own, disk: join(own, "disk.raw"), kernel: join(own, "vmlinuz"), initrd: join(own, "initrd") };
}

/** Builds the image where it is not there. A build that was broken off leaves none. */
export function buildImage(options: ImageOptions): Image {
  const image = imageOf(options);
  if (existsSync(image.disk)) return image;
  const { system, arch, extraPackages } = options;
  const unfinished = `${image.disk}.unfinished`;
  mkdirSync(image.folder, { recursive: true });
  rmSync(unfinished, { force: true });
  const node = processors[arch].node;
  const { suite, kernelPackage } = systems[system];
  const all = [`${kernelPackage}-${arch}`, ...packages, ...extraPackages];
  const hook = join(dirname(fileURLToPath(import.meta.url)), "customize.sh");
  run(
    "mmdebstrap",
    [
      ...`--variant=minbase --format=null --architectures=${arch} --include=${all.join(",")}`.split(" "),
      `--customize-hook=${hook}`,
      suite,
      "-",
    ],
    {
      SSH_KEY: readFileSync(`${sshKey(options.folder)}.pub`, "utf8").trim(),
      NODE_PACKAGE: `node-linux-${node}@22`,
      NODE_CPU: node,
      IMAGE: unfinished,
      SIZE: diskSize,
      BOOT: image.folder,
    },
  );
  renameSync(unfinished, image.disk);
  return image;
}

/** The private key that every machine of this folder lets in, made at the first call. */
export function sshKey(folder: string): string {
  const key = join(folder, "key");
  mkdirSync(folder, { recursive: true });
  if (!existsSync(key)) run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "netloom", "-f", key]);
  return key;
}
