/** The control plane's own parts talk to the server without a socket; what they do belongs into the audit log too. */
import type { KubernetesObject, Resource } from "../../../api/object.ts";
import { ApiError } from "../../../api/status.ts";
import type { ApiClient } from "../../../client/index.ts";
import type { User } from "../user.ts";
import type { AuditedRequest } from "./audit-event.ts";
import type { AuditTrail } from "./audit-trail.ts";

interface Target {
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly subresource?: string | undefined;
}

/** The same client; every call is written down. `clientWith` makes one that notes what admission has to say. */
export function auditedClient(
  clientWith: (annotations: Record<string, string>) => ApiClient,
  { user, trail }: { readonly user: User; readonly trail: AuditTrail },
): ApiClient {
  const begin = (verb: string, resource: Resource<KubernetesObject>, target: Target): AuditedRequest => {
    const { group, version, plural } = resource;
    const { name = "", subresource = "" } = target;
    const namespace = resource.isNamespaced ? (target.namespace ?? "") : "";
    // A new object is sent to its collection.
    const isPost = verb === "create" && subresource === "";
    const request = trail.begin(
      { isResource: true, verb, group, version, resource: plural, subresource, namespace, name },
      { uri: uriOf(resource, { namespace, name: isPost ? "" : name, subresource }), userAgent: "netloom/in-process" },
    );
    request.user = user;
    trail.received(request);
    return request;
  };
  const audited = async <T>(
    verb: string,
    call: { readonly resource: Resource<KubernetesObject>; readonly target: Target },
    work: (client: ApiClient) => Promise<T>,
  ): Promise<T> => {
    const request = begin(verb, call.resource, call.target);
    const annotations: Record<string, string> = {};
    request.annotations = annotations;
    try {
      const result = await work(clientWith(annotations));
      trail.completed(request, verb === "create" ? 201 : 200);
      return result;
    } catch (error) {
      throw refused(trail, request, error);
    }
  };
  return {
    get: (resource, key, options) =>
      audited("get", { resource, target: { ...key, subresource: options?.subresource } }, (client) =>
        client.get(resource, key, options),
      ),
    list: (resource, options) =>
      audited("list", { resource, target: { namespace: options?.namespace } }, (client) =>
        client.list(resource, options),
      ),
    watch: (resource, options) => {
      const request = begin("watch", resource, { namespace: options.namespace });
      return (async function* watch() {
        let failure: unknown;
        try {
          yield* clientWith({}).watch(resource, options);
        } catch (error) {
          failure = error;
          throw error;
        } finally {
          // Also when the reader has enough, which ends a generator without an error.
          if (failure === undefined) trail.completed(request, 200);
          else refused(trail, request, failure);
        }
      })();
    },
    create: (resource, object, options) =>
      audited("create", { resource, target: { ...placeOf(object), subresource: options?.subresource } }, (client) =>
        client.create(resource, object, options),
      ),
    createSubresource: (resource, key, subresource, body) =>
      audited("create", { resource, target: { ...key, subresource } }, (client) =>
        client.createSubresource(resource, key, subresource, body),
      ),
    update: (resource, object, options) =>
      audited("update", { resource, target: { ...placeOf(object), subresource: options?.subresource } }, (client) =>
        client.update(resource, object, options),
      ),
    patch: (resource, key, patch, options) =>
      audited("patch", { resource, target: { ...key, subresource: options?.subresource } }, (client) =>
        client.patch(resource, key, patch, options),
      ),
    delete: (resource, key, options) =>
      audited("delete", { resource, target: key }, (client) => client.delete(resource, key, options)),
  };
}

function refused(trail: AuditTrail, request: AuditedRequest, error: unknown): unknown {
  if (error instanceof ApiError) request.refusal = { reason: error.reason, message: error.message };
  trail.completed(request, error instanceof ApiError ? error.code : 500);
  return error;
}

const placeOf = ({ metadata }: KubernetesObject): Target => ({ namespace: metadata?.namespace, name: metadata?.name });

function uriOf(
  { group, version, plural }: Resource<KubernetesObject>,
  { namespace, name, subresource }: Readonly<Record<"namespace" | "name" | "subresource", string>>,
): string {
  const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  const scope = namespace === "" ? [] : ["namespaces", namespace];
  return [root, ...scope, plural, name, subresource].filter((part) => part !== "").join("/");
}
