/** Makes stored versions: from an object that is written, and from a row that was read. */
import type { KubernetesObject } from "../api/object.ts";
import { deepFreeze } from "../lib/deep-freeze/index.ts";
import type { Stored, StoreKey } from "./object-store.ts";

/** The next version of `object`: stamped with its revision, serialised once, frozen. */
export function storedFromObject(key: StoreKey, object: KubernetesObject, revision: number): Stored {
  const stamped = { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
  return { key, revision, text: JSON.stringify(stamped), object: deepFreeze(stamped) };
}

/** A version read from disk; it is parsed when somebody looks inside. */
export function storedFromText(key: StoreKey, text: string, revision: number): Stored {
  let parsed: KubernetesObject | undefined;
  return {
    key,
    revision,
    text,
    get object() {
      parsed ??= deepFreeze(JSON.parse(text) as KubernetesObject);
      return parsed;
    },
  };
}
