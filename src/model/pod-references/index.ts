/** What of its namespace a pod needs to run: the node it runs on may read that, and nothing else. Pure. */
import type { Container, Pod, Volume } from "../../api/generated/types.ts";

/** Names, by resource. */
export interface PodReferences {
  readonly secrets: ReadonlySet<string>;
  readonly configmaps: ReadonlySet<string>;
  readonly persistentvolumeclaims: ReadonlySet<string>;
  readonly serviceaccounts: ReadonlySet<string>;
}

interface Found {
  readonly secrets: Set<string>;
  readonly configmaps: Set<string>;
  readonly persistentvolumeclaims: Set<string>;
  readonly serviceaccounts: Set<string>;
}

export function podReferences({ metadata, spec }: Pod): PodReferences {
  const found: Found = {
    secrets: new Set(),
    configmaps: new Set(),
    persistentvolumeclaims: new Set(),
    serviceaccounts: new Set(),
  };
  if (spec === undefined) return found;
  add(found.serviceaccounts, spec.serviceAccountName);
  for (const { name } of spec.imagePullSecrets ?? []) add(found.secrets, name);
  const containers = [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])];
  for (const container of containers) addOfContainer(found, container);
  for (const volume of spec.volumes ?? []) addOfVolume(found, volume, metadata?.name ?? "");
  return found;
}

function add(names: Set<string>, name: string | undefined): void {
  if (name !== undefined && name !== "") names.add(name);
}

function addOfContainer(found: Found, { env = [], envFrom = [] }: Pick<Container, "env" | "envFrom">): void {
  for (const { valueFrom } of env) {
    add(found.secrets, valueFrom?.secretKeyRef?.name);
    add(found.configmaps, valueFrom?.configMapKeyRef?.name);
  }
  for (const { secretRef, configMapRef } of envFrom) {
    add(found.secrets, secretRef?.name);
    add(found.configmaps, configMapRef?.name);
  }
}

function addOfVolume(found: Found, volume: Volume, podName: string): void {
  add(found.secrets, volume.secret?.secretName);
  add(found.configmaps, volume.configMap?.name);
  add(found.persistentvolumeclaims, volume.persistentVolumeClaim?.claimName);
  // The claim of an ephemeral volume is named after the pod.
  if (volume.ephemeral !== undefined) add(found.persistentvolumeclaims, `${podName}-${volume.name}`);
  add(found.secrets, volume.csi?.nodePublishSecretRef?.name);
  for (const { secret, configMap } of volume.projected?.sources ?? []) {
    add(found.secrets, secret?.name);
    add(found.configmaps, configMap?.name);
  }
}
