/** What must not leave the machine with a support bundle. */
import type { KubernetesObject } from "../api/object.ts";

const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

/** Names of variables, headers and keys behind which people keep what a Secret should hold. */
const sensitiveName =
  /pass(wor[dt]|phrase|wd)?|secret|token|credential|api[-_.]?key|private[-_.]?key|access[-_.]?key|auth(orization)?$|cookie/i;

/**
 * A Secret keeps its names, and the sizes of its values. Of other objects, what stands in plain text under a name that
 * speaks of a secret, in environment variables, headers of probes and ConfigMaps, is left out likewise. What kubectl applied repeats it all and goes.
 */
export function withoutSecrets(object: KubernetesObject): KubernetesObject {
  const known = withoutLastApplied(object);
  if (known.kind === "Secret") return withoutValues(known);
  if (known.kind === "ConfigMap") return withoutSensitiveKeys(known);
  return withoutSensitiveVariables(known) as KubernetesObject;
}

function withoutLastApplied(object: KubernetesObject): KubernetesObject {
  if (object.metadata?.annotations?.[lastApplied] === undefined) return object;
  const { [lastApplied]: _, ...annotations } = object.metadata.annotations;
  return { ...object, metadata: { ...object.metadata, annotations } };
}

type Values = Readonly<Record<string, string>>;

function withoutValues(object: KubernetesObject): KubernetesObject {
  const secret = object as KubernetesObject & { readonly data?: Values };
  const { annotations } = secret.metadata ?? {};
  return {
    ...secret,
    ...(annotations === undefined
      ? {}
      : { metadata: { ...secret.metadata, annotations: mapValues(annotations, keepKubernetesOwn) } }),
    ...(secret.data === undefined
      ? {}
      : { data: mapValues(secret.data, (_, value) => leftOut(Buffer.from(value, "base64").length)) }),
    ...("stringData" in secret ? { stringData: {} } : {}),
  };
}

/** Annotations of a Secret may say anything; those of Kubernetes itself are names and times. */
const keepKubernetesOwn = (key: string, value: string): string =>
  /(^|\.)kubernetes\.io\//.test(key) ? value : leftOut(Buffer.byteLength(value));

function withoutSensitiveKeys(object: KubernetesObject): KubernetesObject {
  const map = object as KubernetesObject & { readonly data?: Values; readonly binaryData?: Values };
  const keys = Object.keys({ ...map.data, ...map.binaryData });
  if (!keys.some((key) => sensitiveName.test(key))) return object;
  const shown = (values: Values, encoding: "utf8" | "base64"): Values =>
    mapValues(values, (key, value) => (sensitiveName.test(key) ? leftOut(Buffer.byteLength(value, encoding)) : value));
  const changed: typeof map = {
    ...map,
    ...(map.data === undefined ? {} : { data: shown(map.data, "utf8") }),
    ...(map.binaryData === undefined ? {} : { binaryData: shown(map.binaryData, "base64") }),
  };
  return changed;
}

/** Wherever the object has such a list of names and values: pods, and the templates of whatever makes pods. */
const listsOfValues: readonly string[] = ["env", "httpHeaders"];

function withoutSensitiveVariables(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSensitiveVariables);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      listsOfValues.includes(key) && Array.isArray(inner)
        ? inner.map(withoutSensitiveValue)
        : withoutSensitiveVariables(inner),
    ]),
  );
}

function withoutSensitiveValue(variable: unknown): unknown {
  const { name, value } = variable as { readonly name?: unknown; readonly value?: unknown };
  if (typeof name !== "string" || typeof value !== "string" || !sensitiveName.test(name)) return variable;
  return { ...(variable as object), value: leftOut(Buffer.byteLength(value)) };
}

const leftOut = (bytes: number): string => `${bytes} bytes, left out`;

const mapValues = (values: Values, change: (key: string, value: string) => string): Values =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, change(key, value)]));
