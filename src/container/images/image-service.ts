/** Finds images in their sources, in order, and remembers which were asked for: those are "present". */
import { ImageError } from "../errors.ts";
import type { Image, ImageService } from "../runtime.ts";
import { ToolMissingError } from "../../machinery/tools.ts";
import type { CatalogSource, ImageRoot } from "./catalog-source.ts";
import { imageReferenceText, parseImageReference } from "./reference.ts";

export interface ContainerImages extends ImageService {
  /** Throws `ImageError` when the image is gone. */
  root(image: Pick<Image, "name" | "id">): ImageRoot;
}

export function createImageService(options: { readonly catalog: CatalogSource }): ContainerImages {
  const { catalog } = options;
  const present = new Map<string, Image>();

  const find = (name: string, never: boolean): Image => {
    const reference = parseImageReference(name);
    const full = imageReferenceText(reference);
    const known = present.get(full);
    if (known !== undefined) return known;
    if (never) {
      throw new ImageError(
        "ErrImageNeverPull",
        `Container image ${JSON.stringify(name)} is not present with pull policy of Never`,
      );
    }
    const failed = `failed to pull and unpack image ${JSON.stringify(full)}`;
    let image: Image | undefined;
    try {
      image = catalog.find(reference);
    } catch (error) {
      if (error instanceof ToolMissingError)
        throw new ImageError("ErrImagePull", `${failed}: ${error.message}`, { cause: error });
      throw error;
    }
    if (image === undefined) {
      const had = catalog.names.join(", ");
      throw new ImageError(
        "ErrImagePull",
        `${failed}: failed to resolve reference ${JSON.stringify(full)}: not found: the catalog has ${had}; ` +
          `load any other with "netloom image load <archive.tar>"`,
      );
    }
    present.set(full, image);
    return image;
  };

  return {
    pull: (name, { never }) => Promise.resolve().then(() => find(name, never)),
    list: () => Promise.resolve([...present.values()]),
    root({ name }) {
      const root = catalog.root(name);
      if (root === undefined)
        throw new ImageError("ErrImagePull", `Cannot find the root of image "${name}": it was removed`);
      return root;
    },
  };
}
