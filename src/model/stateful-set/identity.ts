/** What each replica of a StatefulSet keeps for life: ordinal, name, host name, claims. */
import type { ControllerRevision, PersistentVolumeClaim, Pod, StatefulSet, Volume } from "../../api/generated/types.ts";
import { resources } from "../../api/resources.ts";
import { revisionHashLabel, templateOf } from "../controller-revision/index.ts";
import { podFromTemplate } from "../workload/index.ts";

const podNameLabel = "statefulset.kubernetes.io/pod-name";
const podIndexLabel = "apps.kubernetes.io/pod-index";

/** The ordinal in the pod's name; undefined where the pod is not one of the set's replicas. */
export function ordinalOf({ metadata: set }: StatefulSet, { metadata: pod }: Pod): number | undefined {
  const prefix = `${set?.name ?? ""}-`;
  const rest = pod?.name?.startsWith(prefix) === true ? pod.name.slice(prefix.length) : "";
  return /^(0|[1-9]\d*)$/.test(rest) ? Number(rest) : undefined;
}

function podName({ metadata }: StatefulSet, ordinal: number): string {
  return `${metadata?.name ?? ""}-${ordinal}`;
}

/** The pod of one ordinal, from the template of a revision. */
export function replicaPod(set: StatefulSet, ordinal: number, revision: ControllerRevision): Pod {
  const pod = podFromTemplate(templateOf(revision), { resource: resources.statefulSets, owner: set });
  const name = podName(set, ordinal);
  const { generateName: _generated, ...metadata } = pod.metadata ?? {};
  return withIdentity(set, ordinal, {
    ...pod,
    metadata: { ...metadata, name, labels: { ...metadata.labels, [revisionHashLabel]: revision.metadata?.name ?? "" } },
    spec: {
      ...(pod.spec ?? { containers: [] }),
      hostname: name,
      ...(set.spec?.serviceName === undefined ? {} : { subdomain: set.spec.serviceName }),
      volumes: withClaims(set, ordinal, pod.spec?.volumes ?? []),
    },
  });
}

/** The pod with the labels that name it, which users may have taken off. The same object where nothing is missing. */
export function withIdentity(set: StatefulSet, ordinal: number, pod: Pod): Pod {
  const wanted = { [podNameLabel]: podName(set, ordinal), [podIndexLabel]: String(ordinal) };
  const labels = pod.metadata?.labels ?? {};
  if (Object.entries(wanted).every(([name, value]) => labels[name] === value)) return pod;
  return { ...pod, metadata: { ...pod.metadata, labels: { ...labels, ...wanted } } };
}

/** A claim takes the place of a volume of its name. */
function withClaims(set: StatefulSet, ordinal: number, volumes: readonly Volume[]): readonly Volume[] {
  const claims = (set.spec?.volumeClaimTemplates ?? []).map((template) => ({
    name: template.metadata?.name ?? "",
    persistentVolumeClaim: { claimName: claimName(set, ordinal, template) },
  }));
  const names = new Set(claims.map(({ name }) => name));
  return [...claims, ...volumes.filter(({ name }) => !names.has(name))];
}

export function claimName(set: StatefulSet, ordinal: number, template: PersistentVolumeClaim): string {
  return `${template.metadata?.name ?? ""}-${podName(set, ordinal)}`;
}
