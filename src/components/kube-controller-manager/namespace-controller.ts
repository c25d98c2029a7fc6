/** Empties namespaces that are being deleted, and lets them go when nothing is left. */
import { keyOf } from "../../api/object.ts";
import type { KubernetesObject, Resource } from "../../api/object.ts";
import { resources } from "../../api/resources.ts";
import type { Namespace } from "../../api/generated/types.ts";
import { namespaceConditions } from "../../model/namespace-deletion/index.ts";
import { isNotFound, whereItStillIs } from "./answers.ts";
import type { ControllerContext, CreateController } from "./context.ts";
import { reconcilerOf } from "./context.ts";
import { resourceId } from "./informers.ts";
import { ownKey } from "./keys.ts";

const finalizer = "kubernetes";
/** Objects that no informer follows are looked for again after so long. */
const lookAgainMs = 1000;

interface Found {
  readonly objects: Map<string, number>;
  readonly finalizers: Map<string, number>;
  readonly failures: string[];
}

export const createNamespaceController: CreateController = (context) => {
  const { client, clock, deletableResources, informers } = context;
  const { namespaces } = informers;
  const contents = deletableResources.filter(({ isNamespaced }) => isNamespaced);
  const reconciler = reconcilerOf(context, {
    name: "namespace",
    waitFor: [namespaces],
    concurrency: 5,
    reconcile: async (key) => {
      const namespace = namespaces.store.get(key);
      if (namespace?.metadata?.deletionTimestamp === undefined) return undefined;
      if (!(namespace.spec?.finalizers ?? []).includes(finalizer)) return undefined;
      const found: Found = { objects: new Map(), finalizers: new Map(), failures: [] };
      // Pods first: what they use (policies, secrets, service accounts) outlives them, as upstream since 1.33.
      await Promise.all(contents.filter(isPods).map((resource) => empty(context, { key, resource, found })));
      if (found.objects.size === 0) {
        await Promise.all(
          contents.filter((resource) => !isPods(resource)).map((resource) => empty(context, { key, resource, found })),
        );
      }
      const current = await report(context, { namespace, found });
      if (found.objects.size > 0 || found.failures.length > 0) return { requeueAfterMs: lookAgainMs };
      const finalizers = (current.spec?.finalizers ?? []).filter((name) => name !== finalizer);
      const spec = { ...current.spec, finalizers };
      await whereItStillIs(client.update(resources.namespaces, { ...current, spec }, { subresource: "finalize" }));
      return undefined;
    },
  });
  reconciler.on(namespaces, ownKey);
  // What goes may have been the last.
  for (const informer of informers.byResource.values()) {
    if (!informer.resource.isNamespaced) continue;
    reconciler.on(informer, ({ current, previous }) => {
      const name = previous?.metadata?.namespace ?? "";
      if (current !== undefined || namespaces.store.get(name)?.metadata?.deletionTimestamp === undefined) return [];
      return [name];
    });
  }
  return reconciler;

  async function report(
    { informers: shared }: ControllerContext,
    { namespace, found }: { readonly namespace: Namespace; readonly found: Found },
  ): Promise<Namespace> {
    const conditions = namespaceConditions(namespace, { remains: found, now: clock.now() });
    if (conditions === namespace.status?.conditions) return namespace;
    const status = { ...namespace.status, conditions };
    const written = await client.update(resources.namespaces, { ...namespace, status }, { subresource: "status" });
    shared.namespaces.observe(written);
    return written;
  }
};

function isPods({ group, plural }: Resource<KubernetesObject>): boolean {
  return group === "" && plural === "pods";
}

/** Deletes what is there of one resource and counts what stays. */
async function empty(
  { client }: ControllerContext,
  {
    key,
    resource,
    found,
  }: {
    readonly key: string;
    readonly resource: Resource<KubernetesObject>;
    readonly found: Found;
  },
): Promise<void> {
  try {
    const { items } = await client.list(resource, { namespace: key });
    const deletions = items
      .filter(({ metadata }) => metadata?.deletionTimestamp === undefined)
      .map((object) => whereItStillIs(client.delete(resource, keyOf(object), { propagationPolicy: "Background" })));
    await Promise.all(deletions);
    if (items.length === 0) return;
    const { items: left } = await client.list(resource, { namespace: key });
    if (left.length > 0)
      found.objects.set(resource.group === "" ? `${resource.plural}.` : resourceId(resource), left.length);
    for (const { metadata } of left) {
      for (const name of metadata?.finalizers ?? []) found.finalizers.set(name, (found.finalizers.get(name) ?? 0) + 1);
    }
  } catch (error) {
    // A kind that is not served any more holds nothing.
    if (isNotFound(error)) return;
    found.failures.push(error instanceof Error ? error.message : String(error));
  }
}
