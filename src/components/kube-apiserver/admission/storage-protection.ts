/** Claims, volumes and attribute classes cannot go while they are used: a finalizer holds them, which controllers take away. */
import { own } from "../../../lib/own/index.ts";
import { attributesProtection, claimProtection, volumeProtection } from "../../../model/persistent-volumes/index.ts";
import type { AdmissionPlugin } from "./admission.ts";
import { isNewOf } from "./new-object.ts";

const finalizers: Readonly<Record<string, string>> = {
  persistentvolumeclaims: claimProtection,
  persistentvolumes: volumeProtection,
  volumeattributesclasses: attributesProtection,
};

export const storageObjectInUseProtection: AdmissionPlugin = {
  name: "StorageObjectInUseProtection",
  mutate: (request, object) => {
    const { group, plural } = request.definition.storage;
    const finalizer = own(finalizers, plural);
    if (finalizer === undefined || !isNewOf(request, { group, plural })) return object;
    const present = object.metadata?.finalizers ?? [];
    if (present.includes(finalizer)) return object;
    return { ...object, metadata: { ...object.metadata, finalizers: [...present, finalizer] } };
  },
};
