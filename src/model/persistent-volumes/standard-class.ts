/** The class of volumes that a cluster has from the start: folders on the node that first needs them. */
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from "../../api/generated/types.ts";
import { claimReference } from "./reference.ts";

const provisioner = "netloom.dev/local-path";
const provisionedBy = "pv.kubernetes.io/provisioned-by";
/** In the node's root. */
const volumesFolder = "/var/lib/netloom/volumes";

export const standardStorageClass: StorageClass = {
  apiVersion: "storage.k8s.io/v1",
  kind: "StorageClass",
  metadata: { name: "standard", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
  provisioner,
  reclaimPolicy: "Delete",
  volumeBindingMode: "WaitForFirstConsumer",
};

export function isOurs(storageClass: StorageClass): boolean {
  return storageClass.provisioner === provisioner;
}

export function isProvisionedByUs({ metadata }: PersistentVolume): boolean {
  return metadata?.annotations?.[provisionedBy] === provisioner;
}

/** The volume made for a claim on a node; its folder is made by the first pod's kubelet. */
export function provisionedVolume(
  claim: PersistentVolumeClaim,
  { storageClass, node }: { readonly storageClass: StorageClass; readonly node: string },
): PersistentVolume {
  const { uid = "", namespace = "", name: claimName = "" } = claim.metadata ?? {};
  const { accessModes, volumeMode, resources } = claim.spec ?? {};
  const name = `pvc-${uid}`;
  const term = { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: [node] }] };
  return {
    metadata: { name, annotations: { [provisionedBy]: provisioner } },
    spec: {
      capacity: { storage: resources?.requests?.["storage"] ?? "0" },
      ...(accessModes === undefined ? {} : { accessModes }),
      ...(volumeMode === undefined ? {} : { volumeMode }),
      claimRef: claimReference(claim),
      persistentVolumeReclaimPolicy: storageClass.reclaimPolicy ?? "Delete",
      storageClassName: storageClass.metadata?.name ?? "",
      hostPath: { path: `${volumesFolder}/${name}_${namespace}_${claimName}`, type: "DirectoryOrCreate" },
      nodeAffinity: { required: { nodeSelectorTerms: [term] } },
    },
  };
}
