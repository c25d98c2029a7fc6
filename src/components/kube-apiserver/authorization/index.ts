/** Who may do what. */
import type { ObjectStore } from "../../../storage/index.ts";
import { anyOf } from "./authorizer.ts";
import type { Authorizer } from "./authorizer.ts";
import { builtInAuthorizer } from "./built-in.ts";
import { rbacAuthorizer } from "./rbac.ts";

export { forbiddenError } from "./authorizer.ts";
export type { Attributes, Authorizer } from "./authorizer.ts";
export { defaultBindings, defaultRoles } from "./default-roles.ts";

export function createAuthorizer(store: ObjectStore): Authorizer {
  return anyOf([builtInAuthorizer, rbacAuthorizer(store)]);
}
