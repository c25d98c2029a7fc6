/** The claims of a StatefulSet's replicas, and what becomes of them after the replica or the set. */
import type { OwnerReference, PersistentVolumeClaim, Pod, StatefulSet } from "../../api/generated/types.ts";
import { apiVersionOf } from "../../api/object.ts";
import { resources } from "../../api/resources.ts";
import { claimName } from "./identity.ts";

/** The claims to be there before the ordinal's pod is made. */
export function claimsOf(set: StatefulSet, ordinal: number): readonly PersistentVolumeClaim[] {
  return (set.spec?.volumeClaimTemplates ?? []).map((template) => {
    const { namespace } = set.metadata ?? {};
    const claim: PersistentVolumeClaim = {
      metadata: {
        ...template.metadata,
        name: claimName(set, ordinal, template),
        ...(namespace === undefined ? {} : { namespace }),
        labels: { ...template.metadata?.labels, ...set.spec?.selector.matchLabels },
      },
      ...(template.spec === undefined ? {} : { spec: template.spec }),
    };
    return withOwners(set, claim, { pod: undefined });
  });
}

/**
 * The claim with the owners that the set's retention policy asks for, so that the garbage collector removes it with
 * them; the same object where it has them.
 *
 * @param options.pod - The replica where it is about to be scaled away.
 */
export function withOwners(
  set: StatefulSet,
  claim: PersistentVolumeClaim,
  { pod }: { readonly pod: Pod | undefined },
): PersistentVolumeClaim {
  const { whenDeleted, whenScaled } = set.spec?.persistentVolumeClaimRetentionPolicy ?? {};
  const isOwnedByPod = pod !== undefined && whenScaled === "Delete";
  const isOwnedBySet = whenDeleted === "Delete" && !isOwnedByPod;
  const wanted: readonly OwnerReference[] = [
    ...(isOwnedByPod ? [{ apiVersion: "v1", kind: "Pod", ...nameOf(pod) }] : []),
    ...(isOwnedBySet
      ? [{ apiVersion: apiVersionOf(resources.statefulSets), kind: "StatefulSet", ...nameOf(set) }]
      : []),
  ];
  const before = claim.metadata?.ownerReferences ?? [];
  const isManaged = ({ kind, name, uid }: OwnerReference): boolean =>
    uid === set.metadata?.uid || (kind === "Pod" && claim.metadata?.name?.endsWith(`-${name}`) === true);
  const managed = before.filter(isManaged);
  const isRight =
    managed.length === wanted.length && wanted.every(({ uid }) => managed.some((owner) => owner.uid === uid));
  if (isRight) return claim;
  const ownerReferences = [...before.filter((owner) => !isManaged(owner)), ...wanted];
  return { ...claim, metadata: { ...claim.metadata, ownerReferences } };
}

function nameOf({ metadata }: Pod | StatefulSet): { readonly name: string; readonly uid: string } {
  return { name: metadata?.name ?? "", uid: metadata?.uid ?? "" };
}
