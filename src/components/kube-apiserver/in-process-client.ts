/** A client inside the server: the same rules and rights as over HTTPS, without sockets and without JSON. */
import type { DeleteOptions } from "../../api/generated/types.ts";
import type { KubernetesObject, ObjectList, Resource, WatchEvent } from "../../api/object.ts";
import { apiVersionOf, keyOf } from "../../api/object.ts";
import type { Registry } from "../../api/registry/index.ts";
import { ApiError, resourceNotServed } from "../../api/status.ts";
import { EventQueue } from "../../client/index.ts";
import type { ApiClient, ListOptions, Patch, WatchOptions, WriteOptions } from "../../client/index.ts";
import type { Action } from "./actions/index.ts";
import { authorize, selectedName } from "./authorization/index.ts";
import type { Authorizer } from "./authorization/index.ts";
import { applyObject } from "./resources/apply.ts";
import { createObject } from "./resources/create.ts";
import { deleteObject } from "./resources/delete.ts";
import type { RequestContext } from "./resources/environment.ts";
import { fieldManagerOf } from "./resources/field-manager.ts";
import { changeOfPatch } from "./resources/patch.ts";
import { getObject, listObjects } from "./resources/read.ts";
import { servedObject } from "./resources/resource.ts";
import type { ServedResource } from "./resources/resource.ts";
import { updateObject } from "./resources/update.ts";
import { watchObjects } from "./resources/watch.ts";
import type { Watch } from "./resources/watch.ts";
import type { Review } from "./reviews/index.ts";
import type { User } from "./user.ts";

export interface InProcessOptions {
  readonly user: User;
  readonly registry: Registry;
  /** Gets what admission has to say in the audit log. */
  readonly annotations?: Record<string, string>;
  readonly authorizer: Authorizer;
  resourceOf(group: string, version: string, plural: string): ServedResource | undefined;
  /** Aborts when the server ends: every watch returns. */
  readonly signal: AbortSignal;
  actionOf(plural: string, subresource: string): Action | undefined;
  reviewOf(group: string, plural: string): Review | undefined;
}

export function createInProcessClient(options: InProcessOptions): ApiClient {
  const { user, authorizer } = options;

  const enter = (
    verb: string,
    resource: Resource<KubernetesObject>,
    target: {
      readonly namespace?: string | undefined;
      readonly name?: string;
      readonly subresource?: string;
      readonly fieldManager?: string | undefined;
      readonly fieldSelector?: string;
    },
  ): { readonly served: ServedResource; readonly context: RequestContext } => {
    const { group, version, plural } = resource;
    const served = options.resourceOf(group, version, plural);
    if (served === undefined) throw resourceNotServed();
    const { fieldSelector, namespace = "", subresource = "" } = target;
    const { name = selectedName(verb, fieldSelector) } = target;
    const place = { group, resource: plural, subresource, namespace, name };
    authorize(authorizer, user, { verb, resource: fieldSelector === undefined ? place : { ...place, fieldSelector } });
    const fieldManager = fieldManagerOf(user, { wanted: target.fieldManager ?? "", userAgent: "" });
    return {
      served,
      context: { user, isDryRun: false, fieldManager, warnings: [], annotations: options.annotations ?? {} },
    };
  };

  return {
    get: async (resource, key) => {
      const { served } = enter("get", resource, key);
      return servedObject(served, getObject(served, key)) as never;
    },
    list: async <T extends KubernetesObject>(resource: Resource<T>, request: ListOptions = {}) => {
      const { served } = enter("list", resource, request);
      const list = listObjects(served, request);
      const metadata = {
        resourceVersion: String(list.revision),
        ...(list.continue === undefined ? {} : { continue: list.continue }),
      };
      const items = list.items.map((stored) => servedObject(served, stored)) as unknown as readonly T[];
      return { kind: `${resource.kind}List`, apiVersion: apiVersionOf(resource), metadata, items } as ObjectList<T>;
    },
    watch: (resource, request) => watch(enter("watch", resource, request).served, request, options.signal) as never,
    create: async (resource, object, { fieldManager }: WriteOptions = {}) => {
      const namespace = resource.isNamespaced ? (object.metadata?.namespace ?? "default") : "";
      const { served, context } = enter("create", resource, { namespace, fieldManager });
      const review = options.reviewOf(resource.group, resource.plural);
      if (review !== undefined) return review({ user, namespace, object }) as never;
      return (await createObject(served, { object, namespace, context })) as never;
    },
    createSubresource: async (resource, key, subresource, body) => {
      const { served, context } = enter("create", resource, { ...key, subresource });
      const action = options.actionOf(resource.plural, subresource);
      if (action?.create === undefined) throw resourceNotServed();
      const { object } = await action.create({ resource: served, key, context }, body as KubernetesObject);
      return object;
    },
    update: async (resource, object, { subresource = "", fieldManager }: WriteOptions = {}) => {
      const key = keyOf(object);
      const { served, context } = enter("update", resource, { ...key, subresource, fieldManager });
      return (await updateObject(served, { key, subresource, change: () => object, context })) as never;
    },
    patch: async (resource, key, patch: Patch, { subresource = "", fieldManager }: WriteOptions = {}) => {
      const { served, context } = enter("patch", resource, { ...key, subresource, fieldManager });
      if (patch.type === "apply") {
        const requireCreate = (): void => void enter("create", resource, key);
        // As controllers do: their configuration counts, whoever had the fields before.
        const call = { key, subresource, body: patch.body, isForced: true, context, requireCreate };
        return (await applyObject(served, call)).object as never;
      }
      const change = changeOfPatch(served.definition, patch, { validation: "Strict", warnings: context.warnings });
      return (await updateObject(served, { key, subresource, change, context })) as never;
    },
    delete: async (resource, key, deletion: DeleteOptions = {}) => {
      const { served, context } = enter("delete", resource, key);
      await deleteObject(served, { key, options: deletion, context });
    },
  };
}

function watch(
  resource: ServedResource,
  request: WatchOptions,
  serverSignal: AbortSignal,
): EventQueue<WatchEvent<KubernetesObject>> {
  const signal = AbortSignal.any([request.signal, serverSignal]);
  let opened: Watch | undefined;
  const queue = new EventQueue<WatchEvent<KubernetesObject>>(() => {
    signal.removeEventListener("abort", end);
    opened?.stop();
  });
  const end = (): void => queue.end();
  try {
    opened = watchObjects(resource, request, ({ type, stored }) =>
      queue.push({ type, object: servedObject(resource, stored) }),
    );
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 410) throw error;
    queue.push({ type: "ERROR", object: error.status });
    queue.end();
    return queue;
  }
  signal.addEventListener("abort", end, { once: true });
  if (signal.aborted) queue.end();
  return queue;
}
