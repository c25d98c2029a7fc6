/** Who may do what. */
import type { ObjectStore } from "../../../storage/index.ts";
import { anyOf } from "./authorizer.ts";
import type { Authorizer } from "./authorizer.ts";
import { nodeAuthorizer } from "./node.ts";
import { rbacAuthorizer } from "./rbac.ts";
import { superuserAuthorizer } from "./superuser.ts";

export { authorize, selectedName } from "./authorizer.ts";
export type { Attributes, Authorizer } from "./authorizer.ts";
export { firstClusterBindings, firstClusterRoles, namespaceBindings, namespaceRoles } from "./policy/index.ts";
export { rulesOfRole } from "./rbac.ts";
export { superuserGroup } from "./superuser.ts";

/** Upstream's order: `--authorization-mode=Node,RBAC`. */
export function createAuthorizer(store: ObjectStore): Authorizer {
  return anyOf([superuserAuthorizer, nodeAuthorizer(store), rbacAuthorizer(store)]);
}
