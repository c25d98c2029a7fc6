/** What a kind does beyond the generic rules of reading and writing. Small modules in this folder implement it. */
import type { DeleteOptions } from "../../../api/generated/types.ts";
import type { KubernetesObject } from "../../../api/object.ts";

/** What a write holds until it was stored or refused. From then on the store tells who owns it. */
export interface Reservation {
  release(): void;
}

export interface Prepared {
  readonly object: KubernetesObject;
  readonly reservation?: Reservation;
}

export interface Strategy {
  /**
   * Last change before validation, in the same turn as the write: allocates what the server gives out. Throws `ApiError`.
   * With `isDryRun` nothing may stay reserved. Not called for subresources.
   */
  prepare?(
    object: KubernetesObject,
    context: { readonly old?: KubernetesObject; readonly isDryRun: boolean },
  ): Prepared;
  /** Seconds an object is given when it is deleted; absent: none. */
  gracePeriodSeconds?(object: KubernetesObject, options: DeleteOptions): number;
  /** A further change when the object begins to be deleted. */
  markDeleted?(object: KubernetesObject): KubernetesObject;
  /** Does something other than finalizers keep a deleted object? */
  isHeld?(object: KubernetesObject): boolean;
  /** PUT of a name that does not exist creates the object. */
  readonly createsOnUpdate?: boolean;
  /** The answer to a deletion is the object instead of a Status. */
  readonly returnsDeleted?: boolean;
}
