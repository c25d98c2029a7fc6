/** What the catalog knows of an image: its configuration, and how its root is made from what is on the machine. */
import type { Image, Mount } from "../runtime.ts";

export interface CatalogContext {
  readonly toolsDir: string;
}

export interface CatalogEntry {
  /** Full names without tag: "docker.io/library/nginx". The first is shown in lists. */
  readonly names: readonly string[];
  /** The tags that mean what this machine has, beside "latest"; a tag below it ("1.22" of "1.22.1") does too. undefined: any tag. */
  version(context: CatalogContext): string | undefined;
  /** As a person would say it: "nginx 1.22". */
  title(context: CatalogContext): string;
  readonly config: Pick<Image, "entrypoint" | "command" | "env" | "workingDir" | "user" | "stopSignal">;
  /** "machine" lies over the machine's programs; "empty" has only what `makeLayer` puts there. */
  readonly base: "machine" | "empty";
  /** Writes the image's own files below `folder`. Throws `ToolMissingError` where the machine lacks the program. */
  makeLayer(folder: string, context: CatalogContext): void;
  /** Bound into every container of the image. */
  readonly mounts: readonly Mount[];
}

export const defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
