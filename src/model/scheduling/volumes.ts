/** A pod goes where its volumes are. */
import type { PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from "../../api/generated/types.ts";
import type { NodeFilter } from "./node-filters.ts";
import { matchesTerm } from "./selectors.ts";

export interface PodVolumes {
  /** Why the pod cannot go anywhere, in upstream's words. */
  readonly problem: string | undefined;
  /** Those to which its claims are bound. */
  readonly volumes: readonly PersistentVolume[];
}

export interface VolumeObjects {
  claim(namespace: string, name: string): PersistentVolumeClaim | undefined;
  volume(name: string): PersistentVolume | undefined;
  storageClass(name: string): StorageClass | undefined;
}

export function volumesOfPod({ metadata, spec }: Pod, objects: VolumeObjects): PodVolumes {
  const volumes: PersistentVolume[] = [];
  for (const { persistentVolumeClaim } of spec?.volumes ?? []) {
    if (persistentVolumeClaim === undefined) continue;
    const { claimName } = persistentVolumeClaim;
    const claim = objects.claim(metadata?.namespace ?? "", claimName);
    const fail = (problem: string): PodVolumes => ({ problem, volumes });
    if (claim === undefined) return fail(`persistentvolumeclaim "${claimName}" not found`);
    if (claim.metadata?.deletionTimestamp !== undefined) {
      return fail(`persistentvolumeclaim "${claimName}" is being deleted`);
    }
    const volume = objects.volume(claim.spec?.volumeName ?? "");
    if (volume !== undefined) volumes.push(volume);
    else if ((claim.spec?.volumeName ?? "") === "") {
      const mode = objects.storageClass(claim.spec?.storageClassName ?? "")?.volumeBindingMode;
      if (mode !== "WaitForFirstConsumer") return fail("pod has unbound immediate PersistentVolumeClaims");
    } else return fail(`persistentvolume "${claim.spec?.volumeName}" not found`);
  }
  return { problem: undefined, volumes };
}

/** Undefined where the pod has no volume that is bound to nodes. */
export function volumeFilter({ volumes }: PodVolumes): NodeFilter | undefined {
  const required = volumes.map(({ spec }) => spec?.nodeAffinity?.required).filter((one) => one !== undefined);
  if (required.length === 0) return undefined;
  return (_pod, node) =>
    required.every(({ nodeSelectorTerms }) => nodeSelectorTerms.some((term) => matchesTerm(term, node)))
      ? undefined
      : { reasons: ["node(s) had volume node affinity conflict"], isFinal: true };
}
