/** A claim may grow where its class says so. */
import type { PersistentVolumeClaim, StorageClass } from "../../../api/generated/types.ts";
import { forbidden } from "../../../api/status.ts";
import { compareQuantities, parseQuantity } from "../../../lib/quantity/index.ts";
import type { ObjectStore } from "../../../storage/index.ts";
import type { AdmissionPlugin } from "./admission.ts";

const plural = "persistentvolumeclaims";
const classAnnotation = "volume.beta.kubernetes.io/storage-class";

export function persistentVolumeClaimResize(store: ObjectStore): AdmissionPlugin {
  const mayGrow = (claim: PersistentVolumeClaim, old: PersistentVolumeClaim): boolean => {
    const name = classOf(claim);
    if (name === "" || name !== classOf(old)) return false;
    const key = { resource: "storageclasses.storage.k8s.io", namespace: "", name };
    const storageClass = store.get(key)?.object as StorageClass | undefined;
    return storageClass?.allowVolumeExpansion === true;
  };
  return {
    name: "PersistentVolumeClaimResize",
    validate: ({ definition, operation, subresource, name, object, old }) => {
      const isClaim = definition.storage.group === "" && definition.storage.plural === plural;
      if (!isClaim || operation !== "UPDATE" || subresource !== "") return;
      const claim = object as PersistentVolumeClaim;
      const before = old as PersistentVolumeClaim;
      if (compareQuantities(parseQuantity(sizeOf(claim)), parseQuantity(sizeOf(before))) <= 0) return;
      const refuse = (why: string): never => {
        throw forbidden({ group: "", name: plural }, name, why);
      };
      if (before.status?.phase !== "Bound") refuse("Only bound persistent volume claims can be expanded");
      if (mayGrow(claim, before)) return;
      const who = "only dynamically provisioned pvc can be resized and";
      refuse(`${who} the storageclass that provisions the pvc must support resize`);
    },
  };
}

function sizeOf({ spec }: PersistentVolumeClaim): string {
  return spec?.resources?.requests?.["storage"] ?? "0";
}

function classOf({ metadata, spec }: PersistentVolumeClaim): string {
  return metadata?.annotations?.[classAnnotation] ?? spec?.storageClassName ?? "";
}
