/** The way over from client-side apply: kubectl's annotation says which fields it had set. */
import { decodeValue } from "../decode/index.ts";
import type { KubernetesObject } from "../object.ts";
import { fieldSetOf } from "./field-set-of.ts";
import { emptySet } from "./field-set.ts";
import type { FieldSet } from "./field-set.ts";
import { isMap } from "./items.ts";
import { shapeOfSubject } from "./subject.ts";
import type { Subject } from "./subject.ts";

const lastAppliedAnnotation = "kubectl.kubernetes.io/last-applied-configuration";
/** Upstream trusts the annotation for this manager only. */
export const kubectlManager = "kubectl";

const annotationLimitBytes = 256 * 1024;

/** The fields of the annotation's configuration; none where it cannot be read or is of another version. */
export function lastAppliedFields(subject: Subject, live: KubernetesObject): FieldSet {
  const text = live.metadata?.annotations?.[lastAppliedAnnotation];
  if (text === undefined || text === "") return emptySet;
  try {
    const value: unknown = JSON.parse(text);
    if (!isMap(value) || value["apiVersion"] !== subject.apiVersion) return emptySet;
    return fieldSetOf(shapeOfSubject(subject), decodeValue(subject.type, value, { fillsZeros: false }).object);
  } catch {
    // What another program wrote there gives nobody any rights.
    return emptySet;
  }
}

/** Keeps the annotation, where there is one, in step with what kubectl applied: client-side apply goes on from there. */
export function withLastApplied(object: KubernetesObject, applied: KubernetesObject): KubernetesObject {
  const annotations = object.metadata?.annotations;
  if (annotations?.[lastAppliedAnnotation] === undefined) return object;
  const { [lastAppliedAnnotation]: _own, ...others } = applied.metadata?.annotations ?? {};
  const { annotations: _annotations, managedFields: _managed, ...metadata } = applied.metadata ?? {};
  const configuration = {
    ...applied,
    metadata: { ...metadata, ...(Object.keys(others).length === 0 ? {} : { annotations: others }) },
  };
  const text = `${JSON.stringify(sorted(configuration))}\n`;
  const value = Buffer.byteLength(text) > annotationLimitBytes ? "" : text;
  return {
    ...object,
    metadata: { ...object.metadata, annotations: { ...annotations, [lastAppliedAnnotation]: value } },
  };
}

/** Go writes maps in the order of their keys. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isMap(value)) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}
