/** Deletes what has lost its owners, as `metadata.ownerReferences` name them. */
import { apiVersionOf, keyOf } from "../../api/object.ts";
import type { KubernetesObject } from "../../api/object.ts";
import type { OwnerReference } from "../../api/generated/types.ts";
import {
  blocks,
  foregroundFinalizer,
  isWaitingForDependents,
  orphanFinalizer,
  planCollection,
} from "../../model/garbage-collection/index.ts";
import type { OwnerState } from "../../model/garbage-collection/index.ts";
import { isSame } from "../../model/workload/index.ts";
import { isNotFound } from "./answers.ts";
import type { ControllerContext, CreateController } from "./context.ts";
import { reconcilerOf } from "./context.ts";
import { resourceId } from "./informers.ts";
import type { OwnedInformer } from "./informers.ts";
import { parseKey, textOf } from "./keys.ts";

interface Located {
  readonly informer: OwnedInformer;
  readonly object: KubernetesObject;
}

export const createGarbageCollector: CreateController = (context) => {
  const { informers } = context;
  /** Where the object with a uid is. */
  const places = new Map<string, { readonly informer: OwnedInformer; readonly key: string }>();
  const watched = [...informers.byResource.values()];

  const byUid = (uid: string): Located | undefined => {
    const place = places.get(uid);
    const object = place?.informer.store.get(place.key);
    return place === undefined || object?.metadata?.uid !== uid ? undefined : { informer: place.informer, object };
  };
  const dependentsOf = (uid: string): readonly Located[] =>
    watched.flatMap((informer) => informer.store.byIndex("owner", uid).map((object) => ({ informer, object })));

  const reconciler = reconcilerOf(context, {
    name: "garbage-collector",
    // Before all lists are in, an owner that is there would be taken for missing.
    waitFor: watched,
    concurrency: 10,
    reconcile: async (id) => {
      const space = id.indexOf(" ");
      const informer = informers.byResource.get(id.slice(0, space));
      const object = informer?.store.get(id.slice(space + 1));
      if (informer === undefined || object === undefined) return;
      await collect(context, {
        located: { informer, object },
        byUid,
        dependentsOf,
        enqueue: (other) => reconciler.enqueue(other),
      });
    },
  });

  for (const informer of watched) {
    reconciler.on(informer, ({ current, previous, key }) => {
      const uid = (current ?? previous)?.metadata?.uid ?? "";
      if (current !== undefined) {
        places.set(uid, { informer, key });
        return mayBeGarbage(current, previous) ? [idOf({ informer, object: current })] : [];
      }
      places.delete(uid);
      const owners = (previous?.metadata?.ownerReferences ?? [])
        .map((reference) => byUid(reference.uid))
        .filter((owner) => owner !== undefined && isWaitingForDependents(owner.object));
      return [...dependentsOf(uid), ...owners].filter((located) => located !== undefined).map(idOf);
    });
  }
  return reconciler;
};

/** New, with other owners than before, or asked to go with its dependents. */
function mayBeGarbage({ metadata }: KubernetesObject, previous: KubernetesObject | undefined): boolean {
  const isLeaving = metadata?.deletionTimestamp !== undefined && (metadata.finalizers ?? []).length > 0;
  const owners = metadata?.ownerReferences ?? [];
  const before = previous?.metadata?.ownerReferences;
  return isLeaving || (owners.length > 0 && owners !== before && !isSame(owners, before));
}

function idOf({ informer, object }: Located): string {
  return `${resourceId(informer.resource)} ${textOf(object)}`;
}

async function collect(
  context: ControllerContext,
  {
    located,
    byUid,
    dependentsOf,
    enqueue,
  }: {
    readonly located: Located;
    readonly byUid: (uid: string) => Located | undefined;
    readonly dependentsOf: (uid: string) => readonly Located[];
    readonly enqueue: (id: string) => void;
  },
): Promise<void> {
  const { informer, object } = located;
  const uid = object.metadata?.uid ?? "";
  const states = new Map<string, OwnerState>();
  for (const owner of object.metadata?.ownerReferences ?? []) {
    const known = byUid(owner.uid);
    if (known !== undefined) states.set(owner.uid, isWaitingForDependents(known.object) ? "waiting" : "present");
    else states.set(owner.uid, (await isOnServer(context, { owner, dependent: object })) ? "present" : "absent");
  }
  const dependents = dependentsOf(uid);
  const plan = planCollection(object, {
    stateOf: (owner) => states.get(owner.uid) ?? "present",
    hasDependents: dependents.length > 0,
    hasWaitingDependent: dependents.some((dependent) => isWaitingForDependents(dependent.object)),
  });
  switch (plan.action) {
    case "keep":
      return;
    case "orphanDependents":
      for (const dependent of dependents) await dropOwner(context, dependent, uid);
      await dropFinalizer(context, located, orphanFinalizer);
      return;
    case "deleteDependents": {
      const blocking = dependents.filter((dependent) => blocks(dependent.object, uid));
      if (blocking.length === 0) await dropFinalizer(context, located, foregroundFinalizer);
      else for (const dependent of dependents) enqueue(idOf(dependent));
      return;
    }
    case "dropOwners":
      await patchMetadata(context, located, { ownerReferences: plan.ownerReferences });
      return;
    case "delete": {
      await remove(context, located, plan.propagationPolicy);
      return;
    }
    case "breakCircle": {
      // Nobody waits for it any more; then it waits for its own dependents, of which one waits for it.
      const freed = await patchMetadata(context, located, { ownerReferences: plan.ownerReferences });
      await remove(context, { informer, object: freed }, "Foreground");
    }
  }
}

/**
 * Refused where the object has changed since it was seen, as it may have been adopted in between: it is looked at
 * again. The conflict is passed on for that, as a change of another field than the owners would not queue the object.
 */
async function remove(
  { client }: ControllerContext,
  { informer, object }: Located,
  propagationPolicy: "Background" | "Foreground" | "Orphan",
): Promise<void> {
  const { uid = "", resourceVersion } = object.metadata ?? {};
  const preconditions = { uid, ...(resourceVersion === undefined ? {} : { resourceVersion }) };
  try {
    await client.delete(informer.resource, keyOf(object), { propagationPolicy, preconditions });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

/** Asks the server itself before anything is deleted for want of an owner. What cannot be asked for counts as there. */
async function isOnServer(
  { client, ownerResources }: ControllerContext,
  { owner, dependent }: { readonly owner: OwnerReference; readonly dependent: KubernetesObject },
): Promise<boolean> {
  const resource = ownerResources.find(
    (served) => served.kind === owner.kind && apiVersionOf(served) === owner.apiVersion,
  );
  if (resource === undefined) return true;
  const { namespace } = dependent.metadata ?? {};
  if (resource.isNamespaced && namespace === undefined) return true;
  const key = resource.isNamespaced ? { namespace: namespace ?? "", name: owner.name } : { name: owner.name };
  try {
    const found = await client.get(resource, key);
    return found.metadata?.uid === owner.uid;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

async function dropOwner(context: ControllerContext, dependent: Located, uid: string): Promise<void> {
  const references = dependent.object.metadata?.ownerReferences ?? [];
  await patchMetadata(context, dependent, { ownerReferences: references.filter((owner) => owner.uid !== uid) });
}

async function dropFinalizer(context: ControllerContext, located: Located, finalizer: string): Promise<void> {
  const finalizers = (located.object.metadata?.finalizers ?? []).filter((name) => name !== finalizer);
  await patchMetadata(context, located, { finalizers });
}

/** Refused where the object has changed since it was seen: it is looked at again. */
async function patchMetadata(
  { client }: ControllerContext,
  { informer, object }: Located,
  change: Readonly<Record<string, unknown>>,
): Promise<KubernetesObject> {
  const { uid, resourceVersion } = object.metadata ?? {};
  const body = { metadata: { uid, resourceVersion, ...change } };
  return await client.patch(informer.resource, parseKey(textOf(object)), { type: "merge", body });
}
