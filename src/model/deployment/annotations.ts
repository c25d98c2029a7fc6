/** The annotations by which a Deployment and its ReplicaSets keep the history of revisions. */
import type { Deployment, ReplicaSet } from "../../api/generated/types.ts";

export const revisionAnnotation = "deployment.kubernetes.io/revision";
const revisionHistoryAnnotation = "deployment.kubernetes.io/revision-history";
export const desiredReplicasAnnotation = "deployment.kubernetes.io/desired-replicas";
export const maxReplicasAnnotation = "deployment.kubernetes.io/max-replicas";

/** Not copied from the Deployment to its ReplicaSets. */
const ownAnnotations = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  "deprecated.deployment.rollback.to",
  revisionAnnotation,
  revisionHistoryAnnotation,
  desiredReplicasAnnotation,
  maxReplicasAnnotation,
]);

/** 0 where there is none or it is no number. Upstream's are 64 bits wide, and an adopted ReplicaSet may have any. */
export function revisionOf(object: Deployment | ReplicaSet): bigint {
  return parseRevision(object.metadata?.annotations?.[revisionAnnotation]);
}

function parseRevision(text = ""): bigint {
  return /^\d{1,19}$/.test(text) ? BigInt(text) : 0n;
}

export function maxRevision(replicaSets: readonly ReplicaSet[]): bigint {
  return replicaSets.map(revisionOf).reduce((most, revision) => (revision > most ? revision : most), 0n);
}

export function numberAnnotation(replicaSet: ReplicaSet, name: string): number | undefined {
  const text = replicaSet.metadata?.annotations?.[name] ?? "";
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

/**
 * The annotations of the Deployment's newest ReplicaSet: the Deployment's own, and its revision. A ReplicaSet that comes
 * back by a rollback gets the next revision and remembers its former ones.
 */
export function newestAnnotations(
  deployment: Deployment,
  { present, revision }: { readonly present: Readonly<Record<string, string>>; readonly revision: bigint },
): Readonly<Record<string, string>> {
  const copied = Object.entries(deployment.metadata?.annotations ?? {}).filter(([name]) => !ownAnnotations.has(name));
  const annotations: Record<string, string> = { ...present, ...Object.fromEntries(copied) };
  const former = present[revisionAnnotation];
  if (former !== undefined && parseRevision(former) >= revision) return annotations;
  annotations[revisionAnnotation] = String(revision);
  if (former !== undefined) {
    const history = present[revisionHistoryAnnotation] ?? "";
    annotations[revisionHistoryAnnotation] = history === "" ? former : `${history},${former}`;
  }
  return annotations;
}
