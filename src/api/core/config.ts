/** ConfigMaps, Secrets and ServiceAccounts: objects that hold data for pods. */
import { own } from "../../lib/own/index.ts";
import { dataKeyMistakes } from "../../lib/labels/index.ts";
import { forbiddenValue, invalidValue, requiredValue, tooLong } from "../field-error.ts";
import type { FieldError } from "../field-error.ts";
import type { ConfigMap, Secret } from "../generated/types.ts";
import { isJsonEqual } from "../../lib/equal/index.ts";
import { ageColumn, ageOf, column, nameColumn, nameOf } from "../registry/columns.ts";
import { defineResource } from "../registry/define.ts";
import { immutable } from "../registry/metadata.ts";
import { resources } from "../resources.ts";

const sizeLimitBytes = 1024 * 1024;

function dataMistakes(data: Readonly<Record<string, string>> | undefined, field: string): FieldError[] {
  return Object.keys(data ?? {}).flatMap((key) =>
    dataKeyMistakes(key).map((text) => invalidValue(`${field}[${key}]`, key, text)),
  );
}

function sizeOf(data: Readonly<Record<string, string>> | undefined): number {
  return Object.values(data ?? {}).reduce((sum, value) => sum + Buffer.byteLength(value), 0);
}

/** An object marked immutable keeps its data, and the mark. */
function immutableMistakes<T extends { readonly immutable?: boolean }>(
  object: T,
  old: T,
  parts: readonly (keyof T & string)[],
): FieldError[] {
  if (old.immutable !== true) return [];
  const text = "field is immutable when `immutable` is set";
  const errors = parts
    .filter((part) => !isJsonEqual(object[part] ?? {}, old[part] ?? {}))
    .map((part) => forbiddenValue(part, text));
  return object.immutable === true ? errors : [forbiddenValue("immutable", text), ...errors];
}

export const configMaps = defineResource(resources.configMaps, {
  shortNames: ["cm"],
  columns: [nameColumn, column("Data", "How many entries it holds."), ageColumn],
  cells: (object, now) => [
    nameOf(object),
    Object.keys(object.data ?? {}).length + Object.keys(object.binaryData ?? {}).length,
    ageOf(object, now),
  ],
  validate({ data, binaryData }: ConfigMap) {
    const errors = [...dataMistakes(data, "data"), ...dataMistakes(binaryData, "binaryData")];
    for (const key of Object.keys(data ?? {})) {
      if (binaryData && Object.hasOwn(binaryData, key)) {
        errors.push(invalidValue(`data[${key}]`, key, "duplicate of key present in binaryData"));
      }
    }
    if (sizeOf(data) + sizeOf(binaryData) > sizeLimitBytes) errors.push(tooLong("[]", sizeLimitBytes));
    return errors;
  },
  validateUpdate: (object, { old }) => immutableMistakes(object, old, ["data", "binaryData"]),
});

/** What a Secret of a well-known type must hold. */
const requiredKeys: Readonly<Record<string, readonly string[]>> = {
  "kubernetes.io/dockercfg": [".dockercfg"],
  "kubernetes.io/dockerconfigjson": [".dockerconfigjson"],
  "kubernetes.io/ssh-auth": ["ssh-privatekey"],
  "kubernetes.io/tls": ["tls.crt", "tls.key"],
};

function validateSecret(secret: Secret): FieldError[] {
  const errors = dataMistakes(secret.data, "data");
  if (sizeOf(secret.data) > (sizeLimitBytes * 4) / 3) errors.push(tooLong("data", sizeLimitBytes));
  for (const key of own(requiredKeys, secret.type ?? "") ?? []) {
    if (!Object.hasOwn(secret.data ?? {}, key)) errors.push(requiredValue(`data[${key}]`));
  }
  if (secret.type === "kubernetes.io/service-account-token") {
    const annotation = "kubernetes.io/service-account.name";
    if (!secret.metadata?.annotations?.[annotation]) errors.push(requiredValue(`metadata.annotations[${annotation}]`));
  }
  return errors;
}

export const secrets = defineResource(resources.secrets, {
  columns: [
    nameColumn,
    column("Type", "What the data is for."),
    column("Data", "How many entries it holds."),
    ageColumn,
  ],
  cells: (object, now) => [
    nameOf(object),
    object.type ?? "",
    Object.keys(object.data ?? {}).length,
    ageOf(object, now),
  ],
  fields: ({ type }) => ({ type: type ?? "" }),
  defaults(draft) {
    draft.type ||= "Opaque";
    for (const [key, text] of Object.entries(draft.stringData ?? {})) {
      draft.data ??= {};
      draft.data[key] = Buffer.from(text).toString("base64");
    }
    delete draft.stringData;
  },
  validate: validateSecret,
  validateUpdate: (object, { old }) => [
    ...(object.type === old.type ? [] : [invalidValue("type", object.type ?? "", immutable)]),
    ...immutableMistakes(object, old, ["data"]),
  ],
});

export const serviceAccounts = defineResource(resources.serviceAccounts, {
  shortNames: ["sa"],
  subresources: {
    token: {
      style: "action",
      verbs: ["create"],
      kind: "TokenRequest",
      group: "authentication.k8s.io",
      version: "v1",
      type: "AuthenticationV1TokenRequest",
    },
  },
  columns: [nameColumn, ageColumn],
  cells: (object, now) => [nameOf(object), ageOf(object, now)],
});
