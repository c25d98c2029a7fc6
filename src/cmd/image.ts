/** `netloom image ls|load|rm`: the images the pods of a cluster can run. */
import { createImageStore, type Image, type ImageStore } from "../container/index.ts";
import { clusterFolders, runningCluster } from "./clusters.ts";
import { table } from "./table.ts";

/** The store of a cluster; for `ls` it may not run yet: then it has the catalog. */
const storeOf = (name: string): ImageStore => createImageStore(clusterFolders(name));

/** crictl's columns, and where the image comes from. */
export function listImages(name: string): string {
  const rows = storeOf(name)
    .list()
    .map((image) => [image.name, image.source, shortId(image), image.warnings.join("; ")]);
  return `${table([["IMAGE", "SOURCE", "ID", "REMARK"], ...rows])}\n`;
}

export async function loadImages(name: string, file: string): Promise<string> {
  runningCluster(name);
  const images = await storeOf(name).load(file);
  return images
    .flatMap((image) => [
      `Loaded image: ${image.name} (${shortId(image)})\n`,
      ...image.warnings.map((text) => `warning: ${text}\n`),
    ])
    .join("");
}

export function removeImage(name: string, image: string): string {
  runningCluster(name);
  storeOf(name).remove(image);
  return `Untagged: ${image}\n`;
}

const shortId = ({ id }: Image): string => id.replace("sha256:", "").slice(0, 12);
