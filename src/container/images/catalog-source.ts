/** Images of the catalog: finds the entry of a name, makes its layer once per boot. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { catalog, type CatalogContext, type CatalogEntry } from "../catalog/index.ts";
import { finish, machineBinds, machineUsrLayers, makeMachineBase } from "../machine/machine-base.ts";
import type { RootLayers } from "../root/overlay.ts";
import type { Image, Mount } from "../runtime.ts";
import { imageReferenceText, type ImageReference } from "./reference.ts";

/** What a container's root is made of, beside what its pod mounts. */
export interface ImageRoot {
  readonly layers: RootLayers;
  readonly mounts: readonly Mount[];
}

export interface CatalogSource {
  /** undefined: not in the catalog. Throws `ToolMissingError` where the machine lacks what the image is made of. */
  find(reference: ImageReference): Image | undefined;
  /** The root of an image that `find` returned, also in an earlier process; undefined: not of the catalog. */
  root(imageName: string): ImageRoot | undefined;
  /** For messages: "busybox". */
  readonly names: readonly string[];
  list(): readonly Image[];
}

export function createCatalogSource(options: CatalogContext & { readonly templatesDir: string }): CatalogSource {
  const { toolsDir, templatesDir } = options;
  const context: CatalogContext = { toolsDir };
  const entryOf = (repository: string): CatalogEntry | undefined =>
    catalog.find(({ names }) => names.includes(repository));

  const layerOf = (entry: CatalogEntry): string => {
    const layer = join(templatesDir, nameOf(entry).replaceAll("/", "_"));
    if (existsSync(layer)) return layer;
    const unfinished = `${layer}.${process.pid}`;
    rmSync(unfinished, { recursive: true, force: true });
    mkdirSync(unfinished, { recursive: true });
    entry.makeLayer(unfinished, context);
    finish(unfinished, layer);
    return layer;
  };

  const imageOf = (entry: CatalogEntry, reference: ImageReference): Image => {
    const version = entry.version(context);
    const name = imageReferenceText(reference);
    const id = createHash("sha256")
      .update(JSON.stringify([entry.names, version, entry.config]))
      .digest("hex");
    return {
      ...entry.config,
      id: `sha256:${id}`,
      name,
      repoDigest: `${reference.registry}/${reference.repository}@sha256:${id}`,
      sizeBytes: 0,
      source: "catalog",
      warnings: warningsFor(reference, { version, title: entry.title(context) }),
    };
  };

  return {
    names: catalog.map(nameOf),
    find(reference) {
      const entry = entryOf(`${reference.registry}/${reference.repository}`);
      if (entry === undefined) return undefined;
      layerOf(entry);
      return imageOf(entry, reference);
    },
    root(imageName) {
      const entry = entryOf(imageName.replace(/@.*$/, "").replace(/:[^/:]*$/, ""));
      if (entry === undefined) return undefined;
      const layer = layerOf(entry);
      if (entry.base === "empty") return { layers: { lowers: [layer], usrLowers: [] }, mounts: entry.mounts };
      const ownUsr = join(layer, "usr");
      const usrLowers = [...(existsSync(ownUsr) ? [ownUsr] : []), ...machineUsrLayers(toolsDir, templatesDir)];
      return {
        layers: { lowers: [layer, makeMachineBase(templatesDir)], usrLowers },
        mounts: [...machineBinds(), ...entry.mounts],
      };
    },
    list: () =>
      catalog.flatMap((entry) => {
        const [registry = "", ...rest] = (entry.names[0] ?? "").split("/");
        const reference = { registry, repository: rest.join("/"), tag: "latest", digest: undefined };
        try {
          return [imageOf(entry, reference)];
        } catch {
          // The machine lacks the program: it is not offered.
          return [];
        }
      }),
  };
}

function nameOf(entry: CatalogEntry): string {
  return (entry.names[0] ?? "").replace(/^docker\.io\/(library\/)?/, "");
}

/** A tag is honoured when it is a prefix of the version, part by part; words behind a dash ("-alpine") never are. */
function warningsFor(
  { repository, tag, digest }: ImageReference,
  { version, title }: { readonly version: string | undefined; readonly title: string },
): readonly string[] {
  if (version === undefined) return [];
  const isHonoured = digest === undefined && (tag === "latest" || version === tag || version.startsWith(`${tag}.`));
  if (isHonoured) return [];
  const asked = `${repository.replace(/^library\//, "")}${digest === undefined ? `:${tag}` : `@${digest}`}`;
  return [`${asked} stands for ${title} of this machine`];
}
