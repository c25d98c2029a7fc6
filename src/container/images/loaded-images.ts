/**
 * Images the user loaded from archives: one folder each under the cluster's state, found again after a stop. What is not
 * whole, because a load or a removal is under way or was killed, lies in folders of another name, which nobody lists.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
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
  /** Removes what killed loads and removals left. Only while nobody else loads or removes; `load` and `remove` do it, too. */
  sweep(): void;
}

/** What is loaded, or removed, lies in a folder of such a name. */
const partial = "loading-";

/** `folder` is made when the first image is loaded. */
export function createLoadedImages(folder: string): LoadedImages {
  const pathOf = (id: string): string => join(folder, id.replace(":", "-"));
  const namesIn = (prefix: string): readonly string[] =>
    existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith(prefix)) : [];
  /** The last one written comes last. */
  const stored = (): readonly StoredImage[] =>
    namesIn("sha256-")
      .map((name) => join(folder, name, "image.json"))
      .flatMap((path) => {
        const stat = statSync(path, { throwIfNoEntry: false });
        return stat === undefined ? [] : [{ path, writtenAt: stat.mtimeMs }];
      })
      .toSorted((a, b) => a.writtenAt - b.writtenAt)
      .map(({ path }) => JSON.parse(readFileSync(path, "utf8")) as StoredImage);
  /** A load that was killed may have left a name with its former image, too: the last one has it. */
  const list = (): readonly Image[] => [
    ...new Map(stored().flatMap(({ names, image }) => names.map((name) => [name, { ...image, name }]))).values(),
  ];
  const sweep = (): void => {
    for (const name of namesIn(partial)) removeUnfinished(join(folder, name));
  };

  /** Not listed from its first moment on, whenever this is killed. */
  function removeImage(id: string): void {
    const gone = mkdtempSync(join(folder, partial));
    renameSync(pathOf(id), join(gone, "image"));
    removeUnfinished(gone);
  }

  function write(image: StoredImage, target = pathOf(image.image.id)): void {
    const path = join(target, "image.json");
    writeFileSync(`${path}.new`, JSON.stringify(image));
    renameSync(`${path}.new`, path);
  }

  function takeAway(name: string, exceptId: string): void {
    for (const each of stored().filter(({ names, image }) => names.includes(name) && image.id !== exceptId)) {
      const names = each.names.filter((other) => other !== name);
      if (names.length > 0) write({ ...each, names });
      else removeImage(each.image.id);
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
      const unfinished = mkdtempSync(join(folder, partial));
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
      sweep();
      const { readArchive } = await import("./archive/read-archive.ts");
      const parts = mkdtempSync(join(folder, partial));
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
      sweep();
    },
    sweep,
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
