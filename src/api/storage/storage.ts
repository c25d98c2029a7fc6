/** Classes and drivers of volumes: stored for those who bring a driver. */
import { invalidValue } from "../field-error.ts";
import { isJsonEqual } from "../../lib/equal/index.ts";
import { ageColumn, ageOf, column, nameColumn, nameOf } from "../registry/columns.ts";
import { optionalOneOf } from "../registry/checks.ts";
import { defineResource } from "../registry/define.ts";
import { immutable } from "../registry/metadata.ts";
import { missingFields } from "../registry/required.ts";
import { resources } from "../resources.ts";

const defaultClass = "storageclass.kubernetes.io/is-default-class";

export const storageClasses = defineResource(resources.storageClasses, {
  shortNames: ["sc"],
  columns: [
    nameColumn,
    column("Provisioner", "Who makes the volumes."),
    column("ReclaimPolicy", "What becomes of a volume after its claim."),
    column("VolumeBindingMode", "When a claim gets its volume."),
    column("AllowVolumeExpansion", "Whether claims may grow."),
    ageColumn,
  ],
  cells(object, now) {
    const isDefault = object.metadata?.annotations?.[defaultClass] === "true";
    return [
      `${nameOf(object)}${isDefault ? " (default)" : ""}`,
      object.provisioner,
      object.reclaimPolicy ?? "Delete",
      object.volumeBindingMode ?? "Immediate",
      object.allowVolumeExpansion ?? false,
      ageOf(object, now),
    ];
  },
  defaults(draft) {
    draft.reclaimPolicy ??= "Delete";
    draft.volumeBindingMode ??= "Immediate";
  },
  validate: (object) => [
    ...missingFields("StorageClass", object),
    ...optionalOneOf(object.reclaimPolicy, ["Delete", "Retain"], "reclaimPolicy"),
    ...optionalOneOf(object.volumeBindingMode, ["Immediate", "WaitForFirstConsumer"], "volumeBindingMode"),
  ],
  validateUpdate: (object, { old }) =>
    (["provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"] as const)
      .filter((part) => !isJsonEqual(object[part], old[part]))
      .map((part) => invalidValue(part, object[part] ?? null, immutable)),
});

export const csiDrivers = defineResource(resources.csiDrivers, {
  columns: [
    nameColumn,
    column("AttachRequired", "Whether volumes are attached to a node first.", "boolean"),
    column("PodInfoOnMount", "Whether the driver is told of the pod.", "boolean"),
    column("StorageCapacity", "Whether the driver reports its capacity.", "boolean"),
    column("TokenRequests", "The tokens that the driver wants."),
    column("RequiresRepublish", "Whether mounts are renewed.", "boolean"),
    column("Modes", "The kinds of volumes."),
    ageColumn,
  ],
  cells: (object, now) => [
    nameOf(object),
    object.spec.attachRequired ?? true,
    object.spec.podInfoOnMount ?? false,
    object.spec.storageCapacity ?? false,
    (object.spec.tokenRequests ?? []).map(({ audience }) => audience).join(",") || "<unset>",
    object.spec.requiresRepublish ?? false,
    (object.spec.volumeLifecycleModes ?? []).join(",") || "<none>",
    ageOf(object, now),
  ],
  defaults({ spec }) {
    if (!spec) return;
    spec.attachRequired ??= true;
    spec.podInfoOnMount ??= false;
    spec.storageCapacity ??= false;
    spec.fsGroupPolicy ??= "ReadWriteOnceWithFSType";
    spec.requiresRepublish ??= false;
    spec.seLinuxMount ??= false;
    if ((spec.volumeLifecycleModes ?? []).length === 0) spec.volumeLifecycleModes = ["Persistent"];
  },
  validate: (object) => missingFields("CSIDriver", object),
});

export const csiNodes = defineResource(resources.csiNodes, {
  columns: [nameColumn, column("Drivers", "How many drivers the node has.", "integer"), ageColumn],
  cells: (object, now) => [nameOf(object), object.spec.drivers.length, ageOf(object, now)],
});

export const csiStorageCapacities = defineResource(resources.csiStorageCapacities, {
  validate: (object) => missingFields("CSIStorageCapacity", object),
});

export const volumeAttachments = defineResource(resources.volumeAttachments, {
  hasStatus: true,
  columns: [
    nameColumn,
    { ...column("Attacher", "The driver that attaches the volume."), format: "name" },
    column("PV", "The volume."),
    column("Node", "The node to which it is attached."),
    column("Attached", "Whether it is attached.", "boolean"),
    ageColumn,
  ],
  cells: (object, now) => [
    nameOf(object),
    object.spec.attacher,
    object.spec.source.persistentVolumeName ?? "",
    object.spec.nodeName,
    object.status?.attached ?? false,
    ageOf(object, now),
  ],
  validate: (object) => missingFields("VolumeAttachment", object),
});
