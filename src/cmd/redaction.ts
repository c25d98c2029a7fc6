/** What must not leave the machine with a support bundle. */
import type { KubernetesObject } from "../api/object.ts";

const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

/** A Secret keeps its names, and the sizes of its values; what kubectl applied repeats them and is left out. */
export function withoutSecrets(object: KubernetesObject): KubernetesObject {
  if (object.kind !== "Secret") return object;
  const secret = object as KubernetesObject & { readonly data?: Readonly<Record<string, string>> };
  const { [lastApplied]: _, ...annotations } = secret.metadata?.annotations ?? {};
  const sizes = Object.entries(secret.data ?? {}).map(([key, value]) => [
    key,
    `${Buffer.from(value, "base64").length} bytes, left out`,
  ]);
  return {
    ...secret,
    metadata: { ...secret.metadata, annotations },
    ...(secret.data === undefined ? {} : { data: Object.fromEntries(sizes) as Record<string, string> }),
    ...("stringData" in secret ? { stringData: {} } : {}),
  };
}
