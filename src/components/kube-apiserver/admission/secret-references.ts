/** Which Secrets a pod names: those of a mirror are none, and an account may allow only its own. */
import type { Container, Pod, ServiceAccount } from "../../../api/generated/types.ts";
import { podReferences } from "../../../model/pod-references/index.ts";

/** On an account, "true" by which its pods name only the Secrets that it lists. */
const enforced = "kubernetes.io/enforce-mountable-secrets";

/** Why the account does not allow the pod; undefined where it does. */
export function secretNotAllowed(account: ServiceAccount, { spec }: Pod): string | undefined {
  if (!["1", "t", "T", "true", "TRUE", "True"].includes(account.metadata?.annotations?.[enforced] ?? ""))
    return undefined;
  const mountable = new Set((account.secrets ?? []).map(({ name }) => name));
  const because = `is not allowed because service account ${account.metadata?.name ?? ""} does not reference that`;
  const secret = (name = ""): string => `secret.secretName="${name}" ${because} secret`;
  for (const volume of spec?.volumes ?? []) {
    if (volume.secret !== undefined && !mountable.has(volume.secret.secretName)) {
      return `volume with ${secret(volume.secret.secretName)}`;
    }
  }
  const kinds: readonly (readonly [string, readonly Container[]])[] = [
    ["init container", spec?.initContainers ?? []],
    ["container", spec?.containers ?? []],
    ["ephemeral container", spec?.ephemeralContainers ?? []],
  ];
  for (const [kind, containers] of kinds) {
    for (const { name, env = [], envFrom = [] } of containers) {
      const variable = env.find(
        ({ valueFrom }) => valueFrom?.secretKeyRef !== undefined && !mountable.has(valueFrom.secretKeyRef.name),
      );
      if (variable !== undefined) {
        return `${kind} ${name} with envVar ${variable.name} referencing ${secret(variable.valueFrom?.secretKeyRef?.name)}`;
      }
      const source = envFrom.find(({ secretRef }) => secretRef !== undefined && !mountable.has(secretRef.name));
      if (source !== undefined) return `${kind} ${name} with envFrom referencing ${secret(source.secretRef?.name)}`;
    }
  }
  const pullable = new Set((account.imagePullSecrets ?? []).map(({ name }) => name));
  const at = (spec?.imagePullSecrets ?? []).findIndex(({ name }) => !pullable.has(name));
  if (at === -1) return undefined;
  return `imagePullSecrets[${at}].name="${spec?.imagePullSecrets?.[at]?.name ?? ""}" ${because} imagePullSecret`;
}

/** A mirror of what a node runs by itself cannot have anything of the cluster's. Undefined where it has nothing. */
export function mirrorNotAllowed(pod: Pod): string | undefined {
  const { serviceAccountName = "", volumes = [] } = pod.spec ?? {};
  if (serviceAccountName !== "") return "a mirror pod may not reference service accounts";
  if (podReferences(pod).secrets.size > 0) return "a mirror pod may not reference secrets";
  const projectsToken = volumes.some(({ projected }) =>
    projected?.sources?.some(({ serviceAccountToken }) => serviceAccountToken !== undefined),
  );
  return projectsToken ? "a mirror pod may not use ServiceAccountToken volume projections" : undefined;
}
