import type { RootLayers } from "../root/overlay.ts";
import type { Mount } from "../runtime.ts";

/** What a container's root is made of, beside what its pod mounts. */
export interface ImageRoot {
  readonly layers: RootLayers;
  readonly mounts: readonly Mount[];
}
