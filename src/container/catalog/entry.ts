/** What the catalog knows of an image: its configuration, and how its root is made from what is on the machine. */
import type { Image, Mount } from "../runtime.ts";

export interface CatalogContext {
  readonly toolsDir: string;
  /** Only user 0 (and what /etc/subuid adds) exists: servers cannot change to a user of their own. */
  readonly isRootless: boolean;
  /** The kernel knows IPv6: there is no listening at "[::]" without. */
  readonly hasIpv6: boolean;
}

export interface CatalogEntry {
  /** Full names without tag: "docker.io/library/nginx". The first is shown in lists. */
  readonly names: readonly string[];
  /**
   * Which tag the image would have: "1.22.1"; tags that shorten it ("1.22") are honoured like "latest". undefined: any
   * tag is. Throws `ToolMissingError` where the machine lacks the program.
   */
  version(context: CatalogContext): string | undefined;
  /** Who stands in for another tag, as a person would say it: "nginx". */
  readonly title: string;
  config(context: CatalogContext): ImageConfig;
  /** "machine" lies over the machine's programs; "empty" has only what `makeLayer` puts there. */
  readonly base: "machine" | "empty";
  /** Writes the image's own files below `folder`. Throws `ToolMissingError` where the machine lacks the program. */
  makeLayer(folder: string, context: CatalogContext): void;
  /** Bound into every container of the image. */
  mounts(): readonly Mount[];
}

export type ImageConfig = Pick<Image, "entrypoint" | "command" | "env" | "workingDir" | "user" | "stopSignal">;

const path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** A configuration with the defaults of most images. */
export function imageConfig(changes: Partial<ImageConfig>): ImageConfig {
  return {
    entrypoint: [],
    command: [],
    workingDir: "",
    user: "",
    stopSignal: "SIGTERM",
    ...changes,
    env: [path, ...(changes.env ?? [])],
  };
}
