/** The folders behind a pod's volumes. */
import type { Pod } from "../../../api/generated/types.ts";
import type { FieldContext } from "../../../model/pod-environment/index.ts";

export interface PodVolumes {
  /**
   * Makes what is missing of the pod's volumes and refreshes what is made from API objects. Rejects with `VolumeError`
   * while one cannot be made: the pod waits, as upstream's does with FailedMount.
   *
   * @returns The source of each volume by its name, absolute, in the agent's mount namespace.
   */
  prepare(pod: Pod, context: FieldContext): Promise<ReadonlyMap<string, string>>;
  /** Removes them; harmless where there are none. */
  release(uid: string): Promise<void>;
}

/** A volume cannot be made (yet); the message is upstream's: `configmap "web" not found`. */
export class VolumeError extends Error {
  override readonly name = "VolumeError";
  readonly code = "FailedMount";
}
