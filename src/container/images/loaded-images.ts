/** Images the user loaded from archives: one folder each under the cluster's state, found again after a stop. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { ImageError } from "../errors.ts";
import type { Image } from "../runtime.ts";
import { ArchiveError } from "./archive/archive-error.ts";
import type { ArchivedImage } from "./archive/read-archive.ts";
import type { ImageRoot } from "./image-root.ts";
import { imageReferenceText, parseImageReference, type ImageReference } from "./reference.ts";

interface StoredImage {
  /** Full names, which the image has until another is loaded under them. */
  readonly names: readonly string[];
  readonly image: Omit<Image, "name">;
}

export interface LoadedImages {
  find(reference: ImageReference): Image | undefined;
  root(image: Pick<Image, "id">): ImageRoot | undefined;
  /** One entry per name. */
  list(): readonly Image[];
  /** Loads all images of the archive; returns them by name. Rejects with `ArchiveError`. */
  load(file: string): Promise<readonly Image[]>;
  /** Takes the name away; files of an image without a name go. Throws `ImageError` where there is none of the name. */
  remove(name: string): void;
}

/** `folder` is made when the first image is loaded. */
export function createLoadedImages(folder: string): LoadedImages {
  const pathOf = (id: string): string => join(folder, id.replace(":", "-"));
  const stored = (): readonly StoredImage[] => {
    if (!existsSync(folder)) return [];
    return readdirSync(folder)
      .filter((name) => name.startsWith("sha256-") && existsSync(join(folder, name, "image.json")))
      .map((name) => JSON.parse(readFileSync(join(folder, name, "image.json"), "utf8")) as StoredImage);
  };
  const list = (): readonly Image[] =>
    stored().flatMap(({ names, image }) => names.map((name) => ({ ...image, name })));

  function write(image: StoredImage, target = pathOf(image.image.id)): void {
    const path = join(target, "image.json");
    writeFileSync(`${path}.new`, JSON.stringify(image));
    renameSync(`${path}.new`, path);
  }

  function takeAway(name: string, exceptId: string): void {
    for (const each of stored().filter(({ names, image }) => names.includes(name) && image.id !== exceptId)) {
      const names = each.names.filter((other) => other !== name);
      if (names.length > 0) write({ ...each, names });
      else rmSync(pathOf(each.image.id), { recursive: true, force: true });
    }
  }

  async function store(archived: ArchivedImage, file: string): Promise<readonly Image[]> {
    const names = archived.names.map((name) => fullName(name, file));
    if (names.length === 0) names.push(fullName("latest", file));
    const target = pathOf(archived.id);
    const earlier = stored().find(({ image }) => image.id === archived.id);
    const { imageOfConfig } = await import("./archive/image-config.ts");
    const image = imageOfConfig(archived, names[0] ?? "");
    const complete = { names: [...new Set([...(earlier?.names ?? []), ...names])], image };
    if (earlier === undefined) {
      const { unpackLayer } = await import("./archive/unpack-layer.ts");
      const unfinished = mkdtempSync(join(folder, "loading-"));
      try {
        const root = join(unfinished, "root");
        mkdirSync(root, { mode: 0o755 });
        for (const layer of archived.layers) await unpackLayer(layer, root);
        write(complete, unfinished);
        renameSync(unfinished, target);
      } finally {
        removeUnfinished(unfinished);
      }
    } else write(complete);
    for (const name of names) takeAway(name, archived.id);
    return names.map((name) => ({ ...image, name }));
  }

  return {
    list,
    find: (reference) => list().find(({ name }) => name === imageReferenceText(reference)),
    root({ id }) {
      const root = join(pathOf(id), "root");
      return existsSync(root) ? { layers: { lowers: [root], usrLowers: [] }, mounts: [] } : undefined;
    },
    async load(file) {
      if (!existsSync(file)) throw new ArchiveError(`Cannot load ${file}: there is no such file`);
      mkdirSync(folder, { recursive: true });
      const { readArchive } = await import("./archive/read-archive.ts");
      const parts = mkdtempSync(join(folder, "loading-"));
      try {
        const images: Image[] = [];
        for (const archived of await readArchive(file, parts)) images.push(...(await store(archived, file)));
        if (images.length === 0) throw new ArchiveError(`Cannot load ${file}: it has no image for this machine`);
        return images;
      } finally {
        removeUnfinished(parts);
      }
    },
    remove(name) {
      const full = imageReferenceText(parseImageReference(name));
      if (!list().some((image) => image.name === full)) {
        throw new ImageError(
          "ErrImagePull",
          `Cannot remove the image ${JSON.stringify(full)}: none of that name was loaded`,
        );
      }
      takeAway(full, "");
    },
  };
}

/** A file whose opening was under way when its stream failed may appear a moment after: hence the retries. */
function removeUnfinished(path: string): void {
  rmSync(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
}

/** An OCI layout may know no more than a tag: the image is then named after the file. */
function fullName(name: string, file: string): string {
  const isTagOnly = !/[:/]/.test(name);
  const base = basename(file)
    .replace(/\.(tar|oci|gz|tgz|zst)\b.*$/i, "")
    .toLowerCase();
  return imageReferenceText(parseImageReference(isTagOnly ? `${base}:${name}` : name));
}
