/** Images of the catalog: finds the entry of a name, makes its layer once per boot. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { catalogEntries, type CatalogContext, type CatalogEntry } from "../catalog/index.ts";
import { finish, machineBinds, machineUsrLayers, makeMachineBase } from "../machine/machine-base.ts";
import type { Image } from "../runtime.ts";
import type { ImageRoot } from "./image-root.ts";
import { imageReferenceText, parseImageReference, type ImageReference } from "./reference.ts";

export interface CatalogSource {
  /** undefined: not in the catalog. Throws `ToolMissingError` where the machine lacks what the image is made of. */
  find(reference: ImageReference): Image | undefined;
  /** The root of an image that `find` returned, also in an earlier process. */
  root(image: Pick<Image, "name">): ImageRoot | undefined;
  /** For messages: "busybox", "kennethreitz/httpbin". */
  readonly names: readonly string[];
  /** Those this machine can make. */
  list(): readonly Image[];
}

export function createCatalogSource(context: CatalogContext & { readonly templatesDir: string }): CatalogSource {
  const { toolsDir, templatesDir } = context;
  const entries = catalogEntries();
  const versions = new Map<CatalogEntry, string | undefined>();
  const entryOf = ({ registry, repository }: ImageReference): CatalogEntry | undefined =>
    entries.find(({ names }) => names.includes(`${registry}/${repository}`));

  /** Asking a program for its version takes milliseconds: once per process. */
  const versionOf = (entry: CatalogEntry): string | undefined => {
    if (!versions.has(entry)) versions.set(entry, entry.version(context));
    return versions.get(entry);
  };

  const layerOf = (entry: CatalogEntry): string => {
    const layer = join(templatesDir, `image-${shortName(entry).replaceAll("/", "_")}`);
    if (existsSync(layer)) return layer;
    const unfinished = `${layer}.${process.pid}`;
    rmSync(unfinished, { recursive: true, force: true });
    mkdirSync(unfinished, { recursive: true });
    entry.makeLayer(unfinished, context);
    finish(unfinished, layer);
    return layer;
  };

  /** A layer never changes once it is made, and every pull of every pod asks. */
  const sizes = new Map<string, number>();
  const sizeOf = (layer: string): number => {
    const size = sizes.get(layer) ?? sizeOfFolder(layer);
    sizes.set(layer, size);
    return size;
  };

  const imageOf = (entry: CatalogEntry, reference: ImageReference): Image => {
    const version = versionOf(entry);
    const config = entry.config(context);
    const id = createHash("sha256")
      .update(JSON.stringify([entry.names, version, config]))
      .digest("hex");
    return {
      ...config,
      id: `sha256:${id}`,
      name: imageReferenceText(reference),
      repoDigest: `${reference.registry}/${reference.repository}@sha256:${id}`,
      sizeBytes: 0,
      source: "catalog",
      warnings: tagWarnings(reference, { version, title: entry.title }),
    };
  };

  return {
    names: entries.map(shortName),
    find(reference) {
      const entry = entryOf(reference);
      if (entry === undefined) return undefined;
      const image = imageOf(entry, reference);
      return { ...image, sizeBytes: sizeOf(layerOf(entry)) };
    },
    root({ name }) {
      const entry = entryOf(parseImageReference(name));
      if (entry === undefined) return undefined;
      const layer = layerOf(entry);
      if (entry.base === "empty") return { layers: { lowers: [layer], usrLowers: [] }, mounts: entry.mounts() };
      const ownUsr = join(layer, "usr");
      const usrLowers = [...(existsSync(ownUsr) ? [ownUsr] : []), ...machineUsrLayers(toolsDir, templatesDir)];
      return {
        layers: { lowers: [layer, makeMachineBase(templatesDir)], usrLowers },
        mounts: [...machineBinds(), ...entry.mounts()],
      };
    },
    list: () =>
      entries.flatMap((entry) => {
        const reference = parseImageReference(entry.names[0] ?? "");
        try {
          return [imageOf(entry, { ...reference, tag: versionOf(entry) ?? "latest" })];
        } catch {
          // The machine lacks the program: not offered.
          return [];
        }
      }),
  };
}

/** What the image adds to the machine's own programs. */
function sizeOfFolder(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

function shortName(entry: CatalogEntry): string {
  return (entry.names[0] ?? "").replace(/^docker\.io\/(library\/)?/, "");
}

/** A tag is honoured when it is the version or shortens it; words behind a dash ("1.22-alpine") never are. */
export function tagWarnings(
  { repository, tag, digest }: Pick<ImageReference, "repository" | "tag" | "digest">,
  { version, title }: { readonly version: string | undefined; readonly title: string },
): readonly string[] {
  if (version === undefined) return [];
  const isHonoured = digest === undefined && (tag === "latest" || version === tag || version.startsWith(`${tag}.`));
  if (isHonoured) return [];
  const asked = `${repository.replace(/^library\//, "")}${digest === undefined ? `:${tag}` : `@${digest}`}`;
  return [`${asked} stands for ${title} ${version.split(".").slice(0, 2).join(".")} of this machine`];
}
