/** What the status of a namespace says while its contents are deleted, in upstream's words. */
import type { Namespace, NamespaceCondition } from "../../api/generated/types.ts";

export interface Remains {
  /** "pods.", "deployments.apps": how many objects are left. */
  readonly objects: ReadonlyMap<string, number>;
  /** How many objects a finalizer holds back. */
  readonly finalizers: ReadonlyMap<string, number>;
  /** Messages of deletions that failed. */
  readonly failures: readonly string[];
}

/** The conditions to report; the same list where nothing has changed. */
export function namespaceConditions(
  namespace: Namespace,
  { remains, now }: { readonly remains: Remains; readonly now: number },
): readonly NamespaceCondition[] {
  const before = namespace.status?.conditions ?? [];
  const time = new Date(now).toISOString().replace(/\.\d+Z$/, "Z");
  const conditions = wanted(remains).map((condition): NamespaceCondition => {
    const known = before.find(({ type }) => type === condition.type);
    if (known?.status === condition.status && known.message === condition.message) return known;
    const isTransition = known?.status !== condition.status;
    return { ...condition, lastTransitionTime: isTransition ? time : (known?.lastTransitionTime ?? time) };
  });
  const foreign = before.filter(({ type }) => !conditions.some((condition) => condition.type === type));
  const isSame =
    before.length === conditions.length + foreign.length && conditions.every((condition) => before.includes(condition));
  return isSame ? before : [...foreign, ...conditions];
}

function wanted({ objects, finalizers, failures }: Remains): readonly NamespaceCondition[] {
  const left = [...objects].map(([resource, count]) => `${resource} has ${count} resource instances`).toSorted();
  const held = [...finalizers].map(([finalizer, count]) => `${finalizer} in ${count} resource instances`).toSorted();
  return [
    {
      type: "NamespaceDeletionDiscoveryFailure",
      status: "False",
      reason: "ResourcesDiscovered",
      message: "All resources successfully discovered",
    },
    {
      type: "NamespaceDeletionGroupVersionParsingFailure",
      status: "False",
      reason: "ParsedGroupVersions",
      message: "All legacy kube types successfully parsed",
    },
    failures.length === 0
      ? {
          type: "NamespaceDeletionContentFailure",
          status: "False",
          reason: "ContentDeleted",
          message: "All content successfully deleted, may be waiting on finalization",
        }
      : {
          type: "NamespaceDeletionContentFailure",
          status: "True",
          reason: "ContentDeletionFailed",
          message: `Failed to delete all resource types, ${failures.length} remaining: ${failures.join(", ")}`,
        },
    left.length === 0
      ? {
          type: "NamespaceContentRemaining",
          status: "False",
          reason: "ContentRemoved",
          message: "All content successfully removed",
        }
      : {
          type: "NamespaceContentRemaining",
          status: "True",
          reason: "SomeResourcesRemain",
          message: `Some resources are remaining: ${left.join(", ")}`,
        },
    held.length === 0
      ? {
          type: "NamespaceFinalizersRemaining",
          status: "False",
          reason: "ContentHasNoFinalizers",
          message: "All content-preserving finalizers finished",
        }
      : {
          type: "NamespaceFinalizersRemaining",
          status: "True",
          reason: "SomeFinalizersRemain",
          message: `Some content in the namespace has finalizers remaining: ${held.join(", ")}`,
        },
  ];
}
