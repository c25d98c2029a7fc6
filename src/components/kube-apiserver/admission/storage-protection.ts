/** Claims and volumes cannot go while they are used: a finalizer holds them, which controllers take away. */
import { claimProtection, volumeProtection } from "../../../model/persistent-volumes/index.ts";
import type { AdmissionPlugin } from "./admission.ts";
import { isNewOf } from "./new-object.ts";

const finalizers: Readonly<Record<string, string>> = {
  persistentvolumeclaims: claimProtection,
  persistentvolumes: volumeProtection,
};

export const storageObjectInUseProtection: AdmissionPlugin = {
  name: "StorageObjectInUseProtection",
  mutate: (request, object) => {
    const { plural } = request.definition.storage;
    const finalizer = Object.hasOwn(finalizers, plural) ? finalizers[plural] : undefined;
    if (finalizer === undefined || !isNewOf(request, { group: "", plural })) return object;
    const present = object.metadata?.finalizers ?? [];
    if (present.includes(finalizer)) return object;
    return { ...object, metadata: { ...object.metadata, finalizers: [...present, finalizer] } };
  },
};
