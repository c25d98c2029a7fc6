/** Makes an object a controller's own, or lets it go. */
import type { KubernetesObject, Resource } from "../../api/object.ts";
import { keyOf } from "../../api/object.ts";
import type { Informer } from "../../machinery/informer/index.ts";
import { controllerReference } from "../../model/workload/index.ts";
import { whereItStillIs } from "./answers.ts";
import type { ControllerContext } from "./context.ts";

type Store<T extends KubernetesObject> = Pick<Informer<T, string>, "resource" | "observe">;

/** Adds the owner as controller. The uid in the patch makes it fail where the object was remade since. */
export async function adopt<T extends KubernetesObject>(
  context: ControllerContext,
  { resource, owner }: { readonly resource: Resource<KubernetesObject>; readonly owner: KubernetesObject },
  informer: Store<T>,
  object: T,
): Promise<void> {
  const ownerReferences = [...(object.metadata?.ownerReferences ?? []), controllerReference(resource, owner)];
  await setOwners(context, informer, object, ownerReferences);
}

export async function release<T extends KubernetesObject>(
  context: ControllerContext,
  owner: KubernetesObject,
  informer: Store<T>,
  object: T,
): Promise<void> {
  const uid = owner.metadata?.uid;
  await setOwners(
    context,
    informer,
    object,
    (object.metadata?.ownerReferences ?? []).filter((reference) => reference.uid !== uid),
  );
}

/** Where the object has changed or gone since, nothing is done: its event brings the owner back to it. */
async function setOwners<T extends KubernetesObject>(
  { client }: ControllerContext,
  informer: Store<T>,
  object: T,
  ownerReferences: readonly unknown[],
): Promise<void> {
  const { uid, resourceVersion } = object.metadata ?? {};
  const body = { metadata: { uid, resourceVersion, ownerReferences } };
  const write = client.patch(informer.resource, keyOf(object), { type: "merge", body });
  if (await whereItStillIs(write)) informer.observe(await write);
}
