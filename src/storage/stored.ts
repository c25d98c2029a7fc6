/** Makes stored versions: from an object that is written, and from a row that was read. */
import type { KubernetesObject } from "../api/object.ts";
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

/** Stops at what is frozen already: parts shared with the previous version cost nothing. */
function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) deepFreeze(part);
  }
  return value;
}
