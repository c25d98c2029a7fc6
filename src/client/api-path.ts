/** Where a resource lies under the server's address. */
import type { KubernetesObject, Resource } from "../api/object.ts";
import type { ListOptions } from "./api-client.ts";

export interface Target {
  readonly namespace?: string | undefined;
  readonly name?: string;
  readonly subresource?: string | undefined;
}

/** "/api/v1/namespaces/default/pods/web/status". */
export function apiPath(resource: Resource<KubernetesObject>, target: Target): string {
  const root = resource.group === "" ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  const scope =
    resource.isNamespaced && target.namespace !== undefined ? ["namespaces", encodeURIComponent(target.namespace)] : [];
  const { name = "", subresource = "" } = target;
  const parts = [root, ...scope, resource.plural, ...(name === "" ? [] : [encodeURIComponent(name)])];
  return [...parts, ...(subresource === "" ? [] : [subresource])].join("/");
}

/** "?labelSelector=app%3Dweb", or nothing. */
export function queryOf(parameters: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, String(value));
  const text = query.toString();
  return text === "" ? "" : `?${text}`;
}

export function listParameters(options: ListOptions): Readonly<Record<string, string | number | undefined>> {
  const { labelSelector, fieldSelector, resourceVersion, limit } = options;
  return { labelSelector, fieldSelector, resourceVersion, limit, continue: options.continue };
}
