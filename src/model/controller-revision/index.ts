/** The history of StatefulSets and DaemonSets: each template they had, numbered, as ControllerRevisions. */
import { apiVersionOf } from "../../api/object.ts";
import type { KubernetesObject, Resource } from "../../api/object.ts";
import type { ControllerRevision, PodTemplateSpec } from "../../api/generated/types.ts";
import { canonicalText, controllerReference, templateHash } from "../workload/index.ts";

/** Of pods: which revision they are made from. */
export const revisionHashLabel = "controller-revision-hash";

export interface RevisionInput {
  readonly resource: Resource<KubernetesObject>;
  readonly owner: KubernetesObject;
  readonly template: PodTemplateSpec;
  /** Those the owner has. */
  readonly revisions: readonly ControllerRevision[];
  /** How often a name made from a hash was taken already. */
  readonly collisions: number;
  /** The label of the revision that carries its hash. */
  readonly hashLabel: string;
}

export interface RevisionPlan {
  /** The revision of the present template, as it is to be written where `write` says so. */
  readonly newest: ControllerRevision;
  /** `renumber`: an older template is the present one again. */
  readonly write: "create" | "renumber" | "none";
}

export function planRevision(input: RevisionInput): RevisionPlan {
  const { resource, owner, template, revisions, collisions, hashLabel } = input;
  // `$patch` makes what kubectl sends to go back replace the template instead of merging into it.
  const data = { spec: { template: { ...template, $patch: "replace" } } };
  const text = canonicalText(data);
  const sorted = byRevision(revisions);
  const highest = sorted.at(-1)?.revision ?? 0;
  const same = sorted.findLast((revision) => canonicalText(revision.data) === text);
  if (same !== undefined) {
    if (same.revision === highest) return { newest: same, write: "none" };
    return { newest: { ...same, revision: highest + 1 }, write: "renumber" };
  }
  const hash = templateHash(data, collisions);
  const { name = "", namespace, annotations } = owner.metadata ?? {};
  const newest: ControllerRevision = {
    apiVersion: apiVersionOf({ group: "apps", version: "v1" }),
    kind: "ControllerRevision",
    metadata: {
      name: `${name.slice(0, 223)}-${hash}`,
      ...(namespace === undefined ? {} : { namespace }),
      labels: { ...template.metadata?.labels, [hashLabel]: hash },
      ...(annotations === undefined ? {} : { annotations }),
      ownerReferences: [controllerReference(resource, owner)],
    },
    data,
    revision: highest + 1,
  };
  return { newest, write: "create" };
}

/** The lowest number first; of equal ones the older. */
function byRevision(revisions: readonly ControllerRevision[]): readonly ControllerRevision[] {
  return revisions.toSorted((a, b) => {
    if (a.revision !== b.revision) return a.revision - b.revision;
    return (a.metadata?.creationTimestamp ?? "") < (b.metadata?.creationTimestamp ?? "") ? -1 : 1;
  });
}

export function templateOf({ data }: ControllerRevision): PodTemplateSpec {
  const { spec } = data as { readonly spec?: { readonly template?: PodTemplateSpec & { readonly $patch?: string } } };
  const { $patch: _directive, ...template } = spec?.template ?? {};
  return template;
}

/** Those beyond the limit that nothing uses, the oldest first. */
export function surplusRevisions(
  revisions: readonly ControllerRevision[],
  { limit, isLive }: { readonly limit: number; readonly isLive: (revision: ControllerRevision) => boolean },
): readonly ControllerRevision[] {
  const history = byRevision(revisions.filter((revision) => !isLive(revision)));
  return history.slice(0, Math.max(history.length - limit, 0));
}
