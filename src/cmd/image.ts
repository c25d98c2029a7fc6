/** `netloom image ls|load|rm`: the images the pods of a cluster can run. */
import { createWriteStream, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createImageStore, type Image, type ImageStore } from "../container/index.ts";
import { clusterDefaults } from "../model/cluster-plan/index.ts";
import { clusterFolders, CommandError, noCluster, runningCluster } from "./clusters.ts";
import { formatted } from "./output.ts";
import { table } from "./table.ts";

/** The store of a cluster; for `ls` it may not run yet: then it has the catalog. */
const storeOf = (name: string): ImageStore => createImageStore(clusterFolders(name));

export type ImageFormat = "table" | "json" | "yaml";

/** crictl's columns, and where the image comes from. */
export async function listImages(name: string, format: ImageFormat): Promise<string> {
  // The cluster that is there without a name need not be: its catalog is what a new one will have.
  if (name !== clusterDefaults.name && !existsSync(clusterFolders(name).stateDir)) {
    throw new CommandError(`There is no cluster "${name}": ${noCluster}`);
  }
  const images = storeOf(name).list();
  if (format !== "table") {
    return await formatted(
      images.map(({ name: image, source, id, warnings }) => ({ name: image, source, id, warnings })),
      format,
    );
  }
  const rows = images.map((image) => [image.name, image.source, shortId(image), image.warnings.join("; ")]);
  return `${table([["IMAGE", "SOURCE", "ID", "REMARK"], ...rows])}\n`;
}

/** Tells of each image as it is there, and of what is wrong with it. "-" is an archive on standard input. */
export async function loadImages(
  name: string,
  { files, tell, warn }: { readonly files: readonly string[]; readonly tell: Tell; readonly warn: Tell },
): Promise<void> {
  runningCluster(name);
  for (const file of files) {
    const images = file === "-" ? await loadInput(name) : await storeOf(name).load(file);
    for (const image of images) tell(`Loaded image: ${image.name} (${shortId(image)})`);
    for (const warning of new Set(images.flatMap(({ warnings }) => warnings))) warn(`Warning: ${warning}`);
  }
}

type Tell = (message: string) => void;

/** By way of a file: archives are read by their first bytes, and have their contents in any order. */
async function loadInput(name: string): Promise<readonly Image[]> {
  if (process.stdin.isTTY) {
    throw new CommandError('Cannot load an image from a terminal: write "docker save IMAGE | netloom image load -"');
  }
  const folder = mkdtempSync(join(tmpdir(), "netloom-image-"));
  try {
    const file = join(folder, "stdin.tar");
    await pipeline(process.stdin, createWriteStream(file, { mode: 0o600 }));
    return await storeOf(name).load(file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function removeImage(name: string, image: string): string {
  runningCluster(name);
  const store = storeOf(name);
  try {
    store.remove(image);
  } catch (error) {
    const isOfCatalog = store.list().some((one) => one.source === "catalog" && isNameOf(image, one.name));
    if (!isOfCatalog) throw error;
    throw new CommandError(`Cannot remove the image "${image}": it is of the catalog, which every cluster has`, {
      cause: error,
    });
  }
  return `Untagged: ${image}\n`;
}

/** "nginx", "library/nginx" and "nginx:1.22.1" of "docker.io/library/nginx:1.22.1". */
const isNameOf = (text: string, full: string): boolean =>
  `/${full}`.endsWith(`/${text}`) || `/${full.replace(/:[^:/]*$/, "")}`.endsWith(`/${text}`);

const shortId = ({ id }: Image): string => id.replace("sha256:", "").slice(0, 12);
