/** Finds images in their sources, in order, and remembers which were asked for: those are "present". */
import { ToolMissingError } from "../../machinery/tools.ts";
import { ImageError } from "../errors.ts";
import type { Image, ImageService } from "../runtime.ts";
import type { CatalogSource } from "./catalog-source.ts";
import type { ImageRoot } from "./image-root.ts";
import type { LoadedImages } from "./loaded-images.ts";
import { imageReferenceText, parseImageReference, type ImageReference } from "./reference.ts";

export interface ContainerImages extends ImageService {
  /** Throws `ImageError` when the image is gone. */
  root(image: Pick<Image, "name" | "id" | "source">): ImageRoot;
}

/** `sources` as the cluster was given them: "catalog", "registry"; what the user loaded comes first. */
export function createImageService(options: {
  readonly loaded: LoadedImages;
  readonly catalog: CatalogSource;
  readonly sources: readonly string[];
}): ContainerImages {
  const { loaded, catalog, sources } = options;
  const pulled = new Map<string, Image>();

  function pull(
    name: string,
    { onlyIfPresent, never }: { readonly onlyIfPresent: boolean; readonly never: boolean },
  ): Image {
    const reference = parseImageReference(name);
    const full = imageReferenceText(reference);
    const present = loaded.find(reference) ?? pulled.get(full);
    if (present !== undefined && (onlyIfPresent || never || present.source === "archive")) return present;
    if (never) {
      throw new ImageError(
        "ErrImageNeverPull",
        `Container image ${JSON.stringify(name)} is not present with pull policy of Never`,
      );
    }
    const image = fromSources(reference);
    pulled.set(full, image);
    return image;
  }

  function fromSources(reference: ImageReference): Image {
    const full = imageReferenceText(reference);
    const failed = `failed to pull and unpack image ${JSON.stringify(full)}`;
    try {
      const image = sources.includes("catalog") ? catalog.find(reference) : undefined;
      if (image !== undefined) return image;
    } catch (error) {
      if (!(error instanceof ToolMissingError)) throw error;
      throw new ImageError("ErrImagePull", `${failed}: ${error.message}`, { cause: error });
    }
    const missing = `${failed}: failed to resolve reference ${JSON.stringify(full)}: ${full}: not found`;
    const remedies = [
      ...(sources.includes("registry") ? ["this netloom does not pull from registries yet"] : []),
      ...(sources.includes("catalog") ? [`the catalog has ${catalog.names.join(", ")}`] : []),
      'load any other image with "netloom image load FILE.tar"',
    ];
    throw new ImageError("ErrImagePull", `${missing}: ${remedies.join("; ")}`);
  }

  return {
    pull: (name, policy) => Promise.resolve().then(() => pull(name, policy)),
    list: () => Promise.resolve([...loaded.list(), ...pulled.values()]),
    root(image) {
      const root = image.source === "archive" ? loaded.root(image) : catalog.root(image);
      if (root !== undefined) return root;
      throw new ImageError(
        "ErrImagePull",
        `Cannot use the image ${JSON.stringify(image.name)}: it was removed meanwhile`,
      );
    },
  };
}
