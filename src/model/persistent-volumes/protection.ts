/** What holds claims, volumes and attribute classes that are to go: somebody still uses them. */
import type { PersistentVolume, PersistentVolumeClaim, Pod, VolumeAttributesClass } from "../../api/generated/types.ts";
import type { KubernetesObject } from "../../api/object.ts";

/** The finalizers that say so. */
export const claimProtection = "kubernetes.io/pvc-protection";
export const volumeProtection = "kubernetes.io/pv-protection";
export const attributesProtection = "kubernetes.io/vac-protection";

/** What is to be done about the finalizer; undefined where it is right. */
export type ProtectionPlan = "add" | "remove" | undefined;

/** @param pods - Of the claim's namespace. */
export function planClaimProtection(claim: PersistentVolumeClaim, pods: readonly Pod[]): ProtectionPlan {
  return planOf(claim, claimProtection, () => pods.some((pod) => usesClaim(pod, claim)));
}

/** A volume is used as long as it is bound. */
export function planVolumeProtection(volume: PersistentVolume): ProtectionPlan {
  return planOf(volume, volumeProtection, () => volume.status?.phase === "Bound");
}

/** The names of the attribute classes that a claim has, had last and waits for. */
export function attributeClassesOfClaim({ spec, status }: PersistentVolumeClaim): readonly string[] {
  return [
    spec?.volumeAttributesClassName ?? "",
    status?.currentVolumeAttributesClassName ?? "",
    status?.modifyVolumeStatus?.targetVolumeAttributesClassName ?? "",
  ].filter((name) => name !== "");
}

/** A class is used as long as a claim or a volume names it. */
export function planAttributesProtection(
  attributes: VolumeAttributesClass,
  users: { readonly claims: readonly PersistentVolumeClaim[]; readonly volumes: readonly PersistentVolume[] },
): ProtectionPlan {
  const name = attributes.metadata?.name ?? "";
  return planOf(
    attributes,
    attributesProtection,
    () =>
      users.volumes.some(({ spec }) => spec?.volumeAttributesClassName === name) ||
      users.claims.some((claim) => attributeClassesOfClaim(claim).includes(name)),
  );
}

function planOf({ metadata }: KubernetesObject, finalizer: string, isUsed: () => boolean): ProtectionPlan {
  const isHeld = metadata?.finalizers?.includes(finalizer) === true;
  // An object from a time before the finalizer gets it now.
  if (metadata?.deletionTimestamp === undefined) return isHeld ? undefined : "add";
  return isHeld && !isUsed() ? "remove" : undefined;
}

/** Pods that no kubelet has seen do not count: none would start them with a claim that goes. */
function usesClaim(pod: Pod, claim: PersistentVolumeClaim): boolean {
  if ((pod.spec?.nodeName ?? "") === "") return false;
  const name = claim.metadata?.name ?? "";
  return (pod.spec?.volumes ?? []).some((volume) => {
    if (volume.persistentVolumeClaim?.claimName === name) return true;
    if (volume.ephemeral === undefined || isShutDown(pod)) return false;
    const owner = claim.metadata?.ownerReferences?.find(({ controller }) => controller === true);
    return name === `${pod.metadata?.name ?? ""}-${volume.name}` && owner?.uid === pod.metadata?.uid;
  });
}

/** The kubelet is done with it, or it was removed by force. */
function isShutDown({ metadata }: Pod): boolean {
  return metadata?.deletionTimestamp !== undefined && metadata.deletionGracePeriodSeconds === 0;
}

/** The object with the finalizer added or taken away. */
export function withProtection<T extends KubernetesObject>(
  object: T,
  { finalizer, plan }: { readonly finalizer: string; readonly plan: "add" | "remove" },
): T {
  const others = (object.metadata?.finalizers ?? []).filter((one) => one !== finalizer);
  const { finalizers: _old, ...metadata } = object.metadata ?? {};
  const finalizers = plan === "add" ? [...others, finalizer] : others;
  return { ...object, metadata: { ...metadata, ...(finalizers.length === 0 ? {} : { finalizers }) } };
}
