/** What becomes of an object whose owners go: nothing, one reference less, or its own deletion. */
import type { KubernetesObject } from "../../api/object.ts";
import type { OwnerReference } from "../../api/generated/types.ts";

/** `waiting`: being deleted in the foreground, until its dependents are gone. */
export type OwnerState = "present" | "absent" | "waiting";

export type CollectionPlan =
  | { readonly action: "keep" }
  /** Its dependents lose their reference to it, then it the finalizer `orphan`. */
  | { readonly action: "orphanDependents" }
  /** Its dependents are looked at; the finalizer `foregroundDeletion` goes with the last that blocks it. */
  | { readonly action: "deleteDependents" }
  | { readonly action: "dropOwners"; readonly ownerReferences: readonly OwnerReference[] }
  /** Asked to go in the foreground, and no longer waited for: a circle of owners would wait for itself. */
  | { readonly action: "breakCircle"; readonly ownerReferences: readonly OwnerReference[] }
  | { readonly action: "delete"; readonly propagationPolicy: "Background" | "Foreground" | "Orphan" };

export const orphanFinalizer = "orphan";
export const foregroundFinalizer = "foregroundDeletion";

export function isWaitingForDependents({ metadata }: KubernetesObject): boolean {
  return metadata?.deletionTimestamp !== undefined && (metadata.finalizers ?? []).includes(foregroundFinalizer);
}

/** @param facts.stateOf - Called for each owner, only where the answer matters. */
export function planCollection(
  object: KubernetesObject,
  facts: {
    readonly stateOf: (owner: OwnerReference) => OwnerState;
    readonly hasDependents: boolean;
    /** One of the dependents is itself being deleted in the foreground. */
    readonly hasWaitingDependent: boolean;
  },
): CollectionPlan {
  const { deletionTimestamp, finalizers = [], ownerReferences = [] } = object.metadata ?? {};
  if (deletionTimestamp !== undefined) {
    if (finalizers.includes(orphanFinalizer)) return { action: "orphanDependents" };
    return finalizers.includes(foregroundFinalizer) ? { action: "deleteDependents" } : { action: "keep" };
  }
  if (ownerReferences.length === 0) return { action: "keep" };
  const states = ownerReferences.map((owner) => ({ owner, state: facts.stateOf(owner) }));
  const present = states.filter(({ state }) => state === "present").map(({ owner }) => owner);
  if (present.length === ownerReferences.length) return { action: "keep" };
  if (present.length > 0) return { action: "dropOwners", ownerReferences: present };
  if (states.some(({ state }) => state === "waiting") && facts.hasDependents) {
    if (facts.hasWaitingDependent && ownerReferences.some(({ blockOwnerDeletion }) => blockOwnerDeletion === true)) {
      const freed = ownerReferences.map((owner) => ({ ...owner, blockOwnerDeletion: false }));
      return { action: "breakCircle", ownerReferences: freed };
    }
    return { action: "delete", propagationPolicy: "Foreground" };
  }
  // As the object itself was asked to go, where it was.
  if (finalizers.includes(orphanFinalizer)) return { action: "delete", propagationPolicy: "Orphan" };
  const isForeground = finalizers.includes(foregroundFinalizer);
  return { action: "delete", propagationPolicy: isForeground ? "Foreground" : "Background" };
}

/** Whether the owner's foreground deletion waits for this dependent. */
export function blocks(dependent: KubernetesObject, ownerUid: string): boolean {
  return (dependent.metadata?.ownerReferences ?? []).some(
    ({ uid, blockOwnerDeletion }) => uid === ownerUid && blockOwnerDeletion === true,
  );
}
