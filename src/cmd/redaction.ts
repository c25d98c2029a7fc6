/** What must not leave the machine with a support bundle. */
import type { KubernetesObject } from "../api/object.ts";

const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

/** Names of variables and keys behind which people keep what a Secret should hold. */
const sensitiveName =
  /pass(wor[dt]|phrase|wd)?|secret|token|credential|api[-_.]?key|private[-_.]?key|access[-_.]?key|auth$/i;

/**
 * A Secret keeps its names, and the sizes of its values. Of other objects, what stands in plain text under a name that
 * speaks of a secret, in environment variables and ConfigMaps, is left out likewise. What kubectl applied repeats it all and goes.
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
  const map = object as KubernetesObject & { readonly data?: Values };
  if (!Object.keys(map.data ?? {}).some((key) => sensitiveName.test(key))) return object;
  const data = mapValues(map.data ?? {}, (key, value) =>
    sensitiveName.test(key) ? leftOut(Buffer.byteLength(value)) : value,
  );
  const shown: typeof map = { ...map, data };
  return shown;
}

/** Wherever the object has a list `env`: pods, and the templates of whatever makes pods. */
function withoutSensitiveVariables(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSensitiveVariables);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      key === "env" && Array.isArray(inner) ? inner.map(withoutSensitiveValue) : withoutSensitiveVariables(inner),
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
