/** Keys as queues hold them, read back. */
import { keyOf, keyText } from "../../api/object.ts";
import type { KubernetesObject, ObjectKey } from "../../api/object.ts";
import type { Change } from "../../machinery/informer/index.ts";

/** The inverse of `keyText`. */
export function parseKey(text: string): ObjectKey {
  const slash = text.indexOf("/");
  return slash === -1 ? { name: text } : { namespace: text.slice(0, slash), name: text.slice(slash + 1) };
}

export function textOf(object: KubernetesObject): string {
  return keyText(keyOf(object));
}

/** The changed object's own key. */
export function ownKey<T>({ key }: Change<T>): readonly string[] {
  return [key];
}

/** The states of an object that a change knows, the newer first. */
export function versions<T>({ current, previous }: Change<T>): readonly T[] {
  return [current, previous].filter((object) => object !== undefined);
}
