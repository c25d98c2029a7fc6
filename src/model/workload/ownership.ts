/** Who owns whom: `metadata.ownerReferences`, of which at most one is the controller. */
import type { KubernetesObject, Resource } from "../../api/object.ts";
import { apiVersionOf } from "../../api/object.ts";
import type { OwnerReference } from "../../api/generated/types.ts";

/** The reference to the object's controller, where it has one. */
export function controllerOf(object: KubernetesObject): OwnerReference | undefined {
  return object.metadata?.ownerReferences?.find((reference) => reference.controller === true);
}

/** The reference by which `owner` controls what it makes. Foreground deletion of the owner waits for it. */
export function controllerReference(resource: Resource<KubernetesObject>, owner: KubernetesObject): OwnerReference {
  return {
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    name: owner.metadata?.name ?? "",
    uid: owner.metadata?.uid ?? "",
    controller: true,
    blockOwnerDeletion: true,
  };
}

export interface Claims<T> {
  /** The owner's, now or after adoption. */
  readonly claimed: readonly T[];
  /** Match the selector and have no controller yet. */
  readonly adopt: readonly T[];
  /** Have the owner as controller but no longer match. */
  readonly release: readonly T[];
}

/**
 * Sorts `candidates` by whether they belong to the owner. One that is being deleted, and an owner that is, adopts and
 * releases nothing.
 */
export function claim<T extends KubernetesObject>(
  candidates: readonly T[],
  { owner, matches }: { readonly owner: KubernetesObject; readonly matches: (candidate: T) => boolean },
): Claims<T> {
  const isOwnerLeaving = owner.metadata?.deletionTimestamp !== undefined;
  const claimed: T[] = [];
  const adopt: T[] = [];
  const release: T[] = [];
  for (const candidate of candidates) {
    const controller = controllerOf(candidate);
    const isLeaving = candidate.metadata?.deletionTimestamp !== undefined;
    if (controller === undefined) {
      if (isOwnerLeaving || isLeaving || !matches(candidate)) continue;
      adopt.push(candidate);
      claimed.push(candidate);
    } else if (controller.uid === owner.metadata?.uid) {
      if (matches(candidate)) claimed.push(candidate);
      else if (!isOwnerLeaving && !isLeaving) release.push(candidate);
    }
  }
  return { claimed, adopt, release };
}
