/** Who owns a workload's number of replicas, as its Scale shows it, and back: upstream's mapping. */
import type { ManagedFieldsEntry } from "../generated/types.ts";
import type { KubernetesObject } from "../object.ts";
import { difference, intersection, isEmptySet, setOfPaths, union } from "./field-set.ts";
import { idOf, managedOf, withManaged } from "./managed.ts";
import type { Owner } from "./managed.ts";

/** Every workload and the Scale have the number at the same place. */
const replicas = setOfPaths([["f:spec", "f:replicas"]]);
const scaleVersion = "autoscaling/v1";

export interface WorkloadVersions {
  /** The one that is asked for. */
  readonly own: string;
  /** All in which the workload is served: owners in others are forgotten. */
  readonly served: ReadonlySet<string>;
}

/** `managedFields` of the Scale; undefined where nobody owns the number. */
export function ownersOfScale(
  workload: KubernetesObject,
  { served }: WorkloadVersions,
): readonly ManagedFieldsEntry[] | undefined {
  const owners = [...managedOf(workload).values()]
    .filter((owner) => served.has(owner.apiVersion) && hasReplicas(owner))
    .map((owner) => ({ ...owner, apiVersion: scaleVersion, fields: replicas }));
  return withManaged<KubernetesObject>({}, new Map(owners.map((owner) => [idOf(owner), owner]))).metadata
    ?.managedFields;
}

/** `managedFields` of the workload once the Scale has been written: who lost the number there loses it here. */
export function ownersOfParent(
  workload: KubernetesObject,
  scale: KubernetesObject,
  { own, served }: WorkloadVersions,
): { readonly managedFields?: readonly ManagedFieldsEntry[] } {
  const ofScale = new Map(managedOf(scale));
  const managed = new Map<string, Owner>();
  for (const [id, owner] of managedOf(workload)) {
    if (!served.has(owner.apiVersion)) continue;
    const scaleId = idOf({ ...owner, apiVersion: scaleVersion });
    if (!hasReplicas(owner) || ofScale.delete(scaleId)) managed.set(id, owner);
    else {
      const fields = difference(owner.fields, replicas);
      if (!isEmptySet(fields)) managed.set(id, { ...owner, fields });
    }
  }
  for (const owner of ofScale.values()) {
    if (!hasReplicas(owner)) continue;
    // As upstream, what comes from a Scale has no time.
    const moved: Owner = { ...owner, apiVersion: own, time: undefined, fields: replicas };
    const known = managed.get(idOf(moved));
    managed.set(idOf(moved), known === undefined ? moved : { ...known, fields: union(known.fields, replicas) });
  }
  const { managedFields } = withManaged<KubernetesObject>({}, managed).metadata ?? {};
  return managedFields === undefined ? {} : { managedFields };
}

function hasReplicas({ fields }: Owner): boolean {
  return !isEmptySet(intersection(fields, replicas));
}
