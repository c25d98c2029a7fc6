/** May this user do this? Asked for every request, by the API server and through it by others. */
import { forbidden } from "../../../api/status.ts";
import type { ApiError } from "../../../api/status.ts";
import type { User } from "../user.ts";

/** What is to be done, in the words of RBAC. */
export interface Attributes {
  readonly verb: string;
  /** Set for resources. */
  readonly resource?: {
    readonly group: string;
    readonly resource: string;
    readonly subresource: string;
    readonly namespace: string;
    readonly name: string;
  };
  /** Set for everything else: "/healthz". */
  readonly path?: string;
}

export interface Authorizer {
  isAllowed(user: User, attributes: Attributes): boolean;
}

/** Any one of them may allow. */
export function anyOf(authorizers: readonly Authorizer[]): Authorizer {
  return { isAllowed: (user, attributes) => authorizers.some((one) => one.isAllowed(user, attributes)) };
}

/** Upstream's refusal, word for word. */
export function forbiddenError(user: User, attributes: Attributes): ApiError {
  const { verb, resource } = attributes;
  const who = `User ${JSON.stringify(user.name)}`;
  if (resource === undefined) {
    return forbidden({ group: "", name: "" }, "", `${who} cannot ${verb} path ${JSON.stringify(attributes.path)}`);
  }
  const { group, namespace, name } = resource;
  const what = resource.subresource === "" ? resource.resource : `${resource.resource}/${resource.subresource}`;
  const where = namespace === "" ? "at the cluster scope" : `in the namespace ${JSON.stringify(namespace)}`;
  const why = `${who} cannot ${verb} resource ${JSON.stringify(what)} in API group ${JSON.stringify(group)} ${where}`;
  return forbidden({ group, name: resource.resource }, name, why);
}
