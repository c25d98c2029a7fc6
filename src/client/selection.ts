/** Which objects a list or watch of the fake means. */
import type { KubernetesObject } from "../api/object.ts";
import { matchesFields, parseFieldSelector } from "../lib/fields/index.ts";
import { matchesLabels, parseLabelSelector } from "../lib/labels/index.ts";
import type { ListOptions } from "./api-client.ts";

/** Any scalar field may be selected by its path, unlike on the real server. */
export function selectionOf(options: ListOptions): (object: KubernetesObject) => boolean {
  const labels = parseLabelSelector(options.labelSelector ?? "");
  const fields = parseFieldSelector(options.fieldSelector ?? "");
  return (object) => {
    if (options.namespace !== undefined && object.metadata?.namespace !== options.namespace) return false;
    if (!matchesLabels(labels, object.metadata?.labels)) return false;
    return matchesFields(fields, Object.fromEntries(fields.map(({ field }) => [field, valueAt(object, field)])));
  };
}

function valueAt(object: unknown, path: string): string {
  let value = object;
  for (const name of path.split(".")) {
    value = typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
  }
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : "";
}
