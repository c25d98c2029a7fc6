/** PersistentVolumes and the claims for them: stored and shown; binding them is a controller's work. */
import { compareQuantities, parseQuantity } from "../../lib/quantity/index.ts";
import type { Quantity } from "../../lib/quantity/index.ts";
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from "../generated/types.ts";
import { validateSelector } from "../registry/selector.ts";
import { isJsonEqual } from "../../lib/equal/index.ts";
import { forbiddenValue, requiredValue, unsupportedValue } from "../field-error.ts";
import type { FieldError } from "../field-error.ts";
import { ageColumn, ageOf, column, nameColumn, nameOf, wideColumn } from "../registry/columns.ts";
import { defineResource } from "../registry/define.ts";
import { resources } from "../resources.ts";
import { readQuantities } from "./resources-validation.ts";
import { validateHostPath } from "./volume-source-validation.ts";

const modeLetters: Readonly<Record<string, string>> = {
  ReadWriteOnce: "RWO",
  ReadOnlyMany: "ROX",
  ReadWriteMany: "RWX",
  ReadWriteOncePod: "RWOP",
};
const modes = Object.keys(modeLetters).toSorted();

/** `RWO,ROX`, in upstream's order. */
function modesText(accessModes: readonly string[] | undefined): string {
  const given = new Set(accessModes);
  return Object.entries(modeLetters)
    .filter(([mode]) => given.has(mode))
    .map(([, letters]) => letters)
    .join(",");
}

function modeMistakes(accessModes: readonly string[] | undefined): FieldError[] {
  if ((accessModes ?? []).length === 0)
    return [requiredValue("spec.accessModes", "at least 1 access mode is required")];
  return (accessModes ?? [])
    .filter((mode) => !modes.includes(mode))
    .map((mode) => unsupportedValue("spec.accessModes", mode, modes));
}

export const persistentVolumes = defineResource(resources.persistentVolumes, {
  shortNames: ["pv"],
  hasStatus: true,
  columns: [
    nameColumn,
    column("Capacity", "The volume's size."),
    column("Access Modes", "How the volume may be mounted."),
    column("Reclaim Policy", "What becomes of the volume after its claim."),
    column("Status", "Whether the volume is free, bound or released."),
    column("Claim", "The claim to which the volume is bound."),
    column("StorageClass", "The class of the volume."),
    column("VolumeAttributesClass", "The class of the volume's attributes."),
    column("Reason", "Why the volume is in its state."),
    ageColumn,
    wideColumn("VolumeMode", "Whether the volume holds files or is a block device."),
  ],
  cells(object, now) {
    const { spec, status } = object;
    const claim = spec?.claimRef;
    return [
      nameOf(object),
      spec?.capacity?.["storage"] ?? "",
      modesText(spec?.accessModes),
      spec?.persistentVolumeReclaimPolicy ?? "",
      object.metadata?.deletionTimestamp === undefined ? (status?.phase ?? "") : "Terminating",
      claim === undefined ? "" : `${claim.namespace ?? ""}/${claim.name ?? ""}`,
      spec?.storageClassName ?? "",
      spec?.volumeAttributesClassName ?? "<unset>",
      status?.reason ?? "",
      ageOf(object, now),
      spec?.volumeMode ?? "<unset>",
    ];
  },
  defaults({ spec }) {
    if (!spec) return;
    spec.persistentVolumeReclaimPolicy ||= "Retain";
    if (spec.hostPath) spec.hostPath.type ??= "";
    spec.volumeMode ??= "Filesystem";
  },
  onCreate(draft) {
    draft.status = { phase: "Pending" };
  },
  validate({ spec }) {
    const errors = [...modeMistakes(spec?.accessModes), ...readQuantities(spec?.capacity, "spec.capacity").errors];
    if (spec?.capacity?.["storage"] === undefined) errors.push(requiredValue("spec.capacity"));
    const policies = ["Delete", "Recycle", "Retain"];
    if (!policies.includes(spec?.persistentVolumeReclaimPolicy ?? "")) {
      errors.push(
        unsupportedValue("spec.persistentVolumeReclaimPolicy", spec?.persistentVolumeReclaimPolicy ?? "", policies),
      );
    }
    if (spec?.hostPath) errors.push(...validateHostPath(spec.hostPath.path, "spec.hostPath.path"));
    if (spec?.local) errors.push(...validateHostPath(spec.local.path, "spec.local.path"));
    return errors;
  },
});

export const persistentVolumeClaims = defineResource(resources.persistentVolumeClaims, {
  shortNames: ["pvc"],
  hasStatus: true,
  columns: [
    nameColumn,
    column("Status", "Whether the claim is bound."),
    column("Volume", "The volume to which the claim is bound."),
    column("Capacity", "The volume's size."),
    column("Access Modes", "How the volume is mounted."),
    column("StorageClass", "The class of the claim."),
    column("VolumeAttributesClass", "The class of the volume's attributes."),
    ageColumn,
    wideColumn("VolumeMode", "Whether the volume holds files or is a block device."),
  ],
  cells(object, now) {
    const { spec, status } = object;
    const isBound = (spec?.volumeName ?? "") !== "";
    return [
      nameOf(object),
      object.metadata?.deletionTimestamp === undefined ? (status?.phase ?? "") : "Terminating",
      spec?.volumeName ?? "",
      isBound ? (status?.capacity?.["storage"] ?? "") : "",
      isBound ? modesText(status?.accessModes) : "",
      spec?.storageClassName ?? "",
      spec?.volumeAttributesClassName ?? "<unset>",
      ageOf(object, now),
      spec?.volumeMode ?? "<unset>",
    ];
  },
  defaults({ spec }) {
    if (spec) spec.volumeMode ??= "Filesystem";
  },
  onCreate(draft) {
    draft.status = { phase: "Pending" };
  },
  validate({ spec }) {
    const errors = [
      ...modeMistakes(spec?.accessModes),
      ...validateSelector(spec?.selector, "spec.selector"),
      ...readQuantities(spec?.resources?.requests, "spec.resources.requests").errors,
    ];
    if (spec?.resources?.requests?.["storage"] === undefined) errors.push(requiredValue("spec.resources[storage]"));
    return errors;
  },
  validateUpdate({ spec }, { old, subresource }) {
    if (subresource !== "") return [];
    const errors: FieldError[] = [];
    if (!isJsonEqual(fixedPart(spec, old), fixedPart(old.spec, old))) {
      const text =
        "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
      errors.push(forbiddenValue("spec", text));
    }
    const size = sizeOf(spec?.resources?.requests);
    // What could not grow may be asked for less, but never for less than there is.
    if (
      compareQuantities(size, sizeOf(old.spec?.resources?.requests)) < 0 &&
      compareQuantities(size, sizeOf(old.status?.capacity)) <= 0
    ) {
      const text = "field can not be less than status.capacity";
      errors.push(forbiddenValue("spec.resources.requests.storage", text));
    }
    return errors;
  },
});

/** A claim names its volume once it is found; the size of a bound one may change. */
function fixedPart(spec: PersistentVolumeClaimSpec | undefined, old: PersistentVolumeClaim): object {
  const { resources: sizes, volumeName, volumeAttributesClassName, ...rest } = spec ?? {};
  const isBound = old.status?.phase === "Bound";
  return {
    ...rest,
    ...((old.spec?.volumeName ?? "") === "" ? {} : { volumeName }),
    ...(isBound ? {} : { resources: sizes, volumeAttributesClassName }),
  };
}

function sizeOf(quantities: Readonly<Record<string, string>> | undefined): Quantity {
  try {
    return parseQuantity(quantities?.["storage"] ?? "0");
  } catch {
    // Validation, which has come before, names the mistake.
    return parseQuantity("0");
  }
}
