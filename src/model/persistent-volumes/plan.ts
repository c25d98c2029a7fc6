/** Binds claims to volumes, and says how both stand. */
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeClaimStatus,
  Pod,
  StorageClass,
} from "../../api/generated/types.ts";
import { isPodTerminal } from "../workload/index.ts";
import { isReservedFor, matchingVolume } from "./match.ts";
import { claimReference } from "./reference.ts";
import { isOurs, isProvisionedByUs, provisionedVolume } from "./standard-class.ts";

export interface ClaimInput {
  readonly claim: PersistentVolumeClaim;
  readonly volumes: readonly PersistentVolume[];
  /** The claim's, where it exists. */
  readonly storageClass: StorageClass | undefined;
  /** Those that use the claim. */
  readonly pods: readonly Pod[];
}

export interface ClaimPlan {
  /** To be made. */
  readonly provision?: PersistentVolume;
  /** To be written: now reserved for the claim. */
  readonly reserve?: PersistentVolume;
  /** The name to enter into the claim, after the volume is written. */
  readonly bindTo?: string;
  readonly status?: PersistentVolumeClaimStatus;
  readonly event?: { readonly type: "Normal" | "Warning"; readonly reason: string; readonly message: string };
}

export function planClaim(input: ClaimInput): ClaimPlan {
  const { claim, volumes, pods, storageClass } = input;
  const named = claim.spec?.volumeName ?? "";
  if (named !== "")
    return planNamed(
      claim,
      volumes.find(({ metadata }) => metadata?.name === named),
    );
  if (claim.metadata?.deletionTimestamp !== undefined) return {};
  const node = pods
    .filter((pod) => !isPodTerminal(pod))
    .map(({ spec }) => spec?.nodeName ?? "")
    .find(Boolean);
  const isLate = storageClass?.volumeBindingMode === "WaitForFirstConsumer";
  const found = matchingVolume(
    claim,
    volumes.filter((volume) => !isLate || node === undefined || mayRunOn(volume, node)),
  );
  if (found !== undefined && (!isLate || node !== undefined || isReservedFor(found, claim))) {
    return { ...reserve(found, claim), bindTo: found.metadata?.name ?? "" };
  }
  if (storageClass === undefined) return { event: withoutClass(claim) };
  if (isLate && node === undefined) {
    const message = "waiting for first consumer to be created before binding";
    return { event: { type: "Normal", reason: "WaitForFirstConsumer", message } };
  }
  if (isOurs(storageClass)) return provision(claim, storageClass, node);
  const message = `Waiting for a volume to be created either by the external provisioner '${storageClass.provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`;
  return { event: { type: "Normal", reason: "ExternalProvisioning", message } };
}

function provision(claim: PersistentVolumeClaim, storageClass: StorageClass, node: string | undefined): ClaimPlan {
  const fail = (why: string): ClaimPlan => ({
    event: {
      type: "Warning",
      reason: "ProvisioningFailed",
      message: `failed to provision volume with StorageClass "${storageClass.metadata?.name ?? ""}": ${why}`,
    },
  });
  if (node === undefined) return fail("configuration error, no node was specified");
  if (claim.spec?.volumeMode === "Block") return fail("only Filesystem volumes are supported");
  const volume = provisionedVolume(claim, { storageClass, node });
  const name = volume.metadata?.name ?? "";
  const message = `Successfully provisioned volume ${name}`;
  return { provision: volume, bindTo: name, event: { type: "Normal", reason: "ProvisioningSucceeded", message } };
}

function withoutClass({ spec }: PersistentVolumeClaim): NonNullable<ClaimPlan["event"]> {
  const className = spec?.storageClassName ?? "";
  if (className === "") {
    const message = "no persistent volumes available for this claim and no storage class is set";
    return { type: "Normal", reason: "FailedBinding", message };
  }
  const message = `storageclass.storage.k8s.io "${className}" not found`;
  return { type: "Warning", reason: "ProvisioningFailed", message };
}

/** A claim that names its volume: it is bound once the volume names it too. */
function planNamed(claim: PersistentVolumeClaim, volume: PersistentVolume | undefined): ClaimPlan {
  if (volume === undefined) {
    if (claim.status?.phase !== "Bound") return {};
    const message = "Bound claim has lost its PersistentVolume. Data on the volume is lost!";
    return { status: { ...claim.status, phase: "Lost" }, event: { type: "Warning", reason: "ClaimLost", message } };
  }
  if (volume.spec?.claimRef !== undefined && !isReservedFor(volume, claim)) return {};
  const { capacity, accessModes } = volume.spec ?? {};
  return {
    ...reserve(volume, claim),
    status: {
      ...claim.status,
      phase: "Bound",
      ...(accessModes === undefined ? {} : { accessModes }),
      ...(capacity === undefined ? {} : { capacity }),
    },
  };
}

function reserve(volume: PersistentVolume, claim: PersistentVolumeClaim): Pick<ClaimPlan, "reserve"> {
  if (volume.spec?.claimRef?.uid === claim.metadata?.uid) return {};
  return { reserve: { ...volume, spec: { ...volume.spec, claimRef: claimReference(claim) } } };
}

/** By the host name alone, as local volumes say it. */
function mayRunOn({ spec }: PersistentVolume, node: string): boolean {
  const terms = spec?.nodeAffinity?.required?.nodeSelectorTerms;
  if (terms === undefined) return true;
  return terms.some(({ matchExpressions = [] }) =>
    matchExpressions.every(({ key, values }) => key !== "kubernetes.io/hostname" || values?.includes(node) === true),
  );
}

export interface VolumePlan {
  readonly phase: "Available" | "Bound" | "Released";
  /** Its claim is gone, and it goes with it. */
  readonly remove: boolean;
}

/** @param claim - The one that the volume names, where it exists. */
export function planVolume(volume: PersistentVolume, claim: PersistentVolumeClaim | undefined): VolumePlan {
  const { claimRef, persistentVolumeReclaimPolicy } = volume.spec ?? {};
  if (claimRef?.uid === undefined) return { phase: "Available", remove: false };
  if (claim?.metadata?.uid === claimRef.uid) {
    const isBound = claim.spec?.volumeName === volume.metadata?.name;
    return { phase: isBound ? "Bound" : "Available", remove: false };
  }
  return { phase: "Released", remove: persistentVolumeReclaimPolicy === "Delete" && isProvisionedByUs(volume) };
}
