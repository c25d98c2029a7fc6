/** Checks of `metadata`, the same for every kind. */
import {
  dnsLabelMistakes,
  labelKeyMistakes,
  labelValueMistakes,
  rfc1035LabelMistakes,
  subdomainMistakes,
} from "../../lib/labels/index.ts";
import { forbiddenValue, invalidValue, requiredValue, tooLong } from "../field-error.ts";
import type { FieldError } from "../field-error.ts";
import type { ObjectMeta } from "../generated/types.ts";
import type { KubernetesObject } from "../object.ts";

/** Which names a kind allows: DNS subdomain (most), DNS label, RFC 1035 label, or anything fit for a URL path. */
export type NameRule = "subdomain" | "label" | "rfc1035" | "path";

export function pathMistakes(name: string): readonly string[] {
  if (name === "." || name === "..") return [`may not be '${name}'`];
  return ["/", "%"].filter((part) => name.includes(part)).map((part) => `may not contain '${part}'`);
}

const nameRules: Readonly<Record<NameRule, (name: string) => readonly string[]>> = {
  subdomain: subdomainMistakes,
  label: dnsLabelMistakes,
  rfc1035: rfc1035LabelMistakes,
  path: pathMistakes,
};

/** Upstream's limit for all annotations of an object together. */
const annotationsLimitBytes = 256 * 1024;

export function labelMistakes(labels: Readonly<Record<string, string>> | undefined, field: string): FieldError[] {
  return Object.entries(labels ?? {}).flatMap(([key, value]) => [
    ...labelKeyMistakes(key).map((sentence) => invalidValue(field, key, sentence)),
    ...labelValueMistakes(value).map((sentence) => invalidValue(field, value, sentence)),
  ]);
}

function annotationMistakes(annotations: Readonly<Record<string, string>> | undefined): FieldError[] {
  const field = "metadata.annotations";
  const entries = Object.entries(annotations ?? {});
  const errors = entries.flatMap(([key]) =>
    labelKeyMistakes(key.toLowerCase()).map((sentence) => invalidValue(field, key, sentence)),
  );
  const size = entries.reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
  if (size > annotationsLimitBytes) errors.push(tooLong(field, annotationsLimitBytes));
  return errors;
}

function ownerMistakes(metadata: ObjectMeta): FieldError[] {
  const errors: FieldError[] = [];
  const owners = metadata.ownerReferences ?? [];
  owners.forEach((owner, index) => {
    const field = `metadata.ownerReferences[${index}]`;
    for (const part of ["apiVersion", "kind", "name", "uid"] as const) {
      if (!owner[part]) errors.push(invalidValue(`${field}.${part}`, owner[part] ?? "", "must not be empty"));
    }
  });
  if (owners.filter((owner) => owner.controller === true).length > 1) {
    errors.push(invalidValue("metadata.ownerReferences", owners, "Only one reference can have Controller set to true"));
  }
  return errors;
}

function finalizerMistakes(metadata: ObjectMeta): FieldError[] {
  return (metadata.finalizers ?? []).flatMap((finalizer) => {
    const errors = labelKeyMistakes(finalizer).map((text) => invalidValue("metadata.finalizers", finalizer, text));
    if (errors.length === 0 && !finalizer.includes("/") && !standardFinalizers.has(finalizer)) {
      errors.push(
        invalidValue(
          "metadata.finalizers",
          finalizer,
          "name is neither a standard finalizer name nor is it fully qualified",
        ),
      );
    }
    return errors;
  });
}
const standardFinalizers = new Set(["kubernetes", "orphan", "foregroundDeletion"]);

/** Mistakes of a new object's metadata. The server has already applied the request's namespace and `generateName`. */
export function validateMetadata(object: KubernetesObject, isNamespaced: boolean, rule: NameRule): FieldError[] {
  const metadata = object.metadata ?? {};
  const errors: FieldError[] = [];
  const check = nameRules[rule];
  if (metadata.generateName !== undefined && metadata.generateName !== "") {
    // The suffix is to come: a trailing hyphen or dot is no mistake of the prefix.
    const prefix = `${metadata.generateName}a`;
    errors.push(...check(prefix).map((text) => invalidValue("metadata.generateName", metadata.generateName, text)));
  }
  if (!metadata.name) errors.push(requiredValue("metadata.name", "name or generateName is required"));
  else errors.push(...check(metadata.name).map((text) => invalidValue("metadata.name", metadata.name, text)));
  if (isNamespaced) {
    if (!metadata.namespace) errors.push(requiredValue("metadata.namespace"));
    else
      errors.push(
        ...dnsLabelMistakes(metadata.namespace).map((text) =>
          invalidValue("metadata.namespace", metadata.namespace, text),
        ),
      );
  } else if (metadata.namespace) {
    errors.push(forbiddenValue("metadata.namespace", "not allowed on this type"));
  }
  return [...errors, ...sharedMistakes(metadata)];
}

function sharedMistakes(metadata: ObjectMeta): FieldError[] {
  return [
    ...labelMistakes(metadata.labels, "metadata.labels"),
    ...annotationMistakes(metadata.annotations),
    ...ownerMistakes(metadata),
    ...finalizerMistakes(metadata),
  ];
}

const immutableParts = [
  "name",
  "namespace",
  "uid",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
] as const;

/** Mistakes of a change of metadata. The server has already filled what the client left out from `old`. */
export function validateMetadataUpdate(object: KubernetesObject, old: KubernetesObject): FieldError[] {
  const metadata = object.metadata ?? {};
  const before = old.metadata ?? {};
  const errors = immutableParts
    .filter((part) => metadata[part] !== before[part])
    .map((part) => invalidValue(`metadata.${part}`, metadata[part] ?? null, immutable));
  if (before.deletionTimestamp !== undefined) {
    const known = new Set(before.finalizers);
    const added = (metadata.finalizers ?? []).filter((finalizer) => !known.has(finalizer));
    if (added.length > 0) {
      const text = `no new finalizers can be added if the object is being deleted, found new finalizers ${JSON.stringify(added)}`;
      errors.push(forbiddenValue("metadata.finalizers", text));
    }
  }
  return [...errors, ...sharedMistakes(metadata)];
}

export const immutable = "field is immutable";
