/** The first roles, bindings and priority classes: made where they are missing, mended where they lack something. */
import type { PriorityClass } from "../../api/generated/types.ts";
import { resources } from "../../api/resources.ts";
import type { ApiClient } from "../../client/index.ts";
import { isBindingOfAnotherRole, reconciledBinding, reconciledRole } from "../../model/rbac/index.ts";
import { firstClusterBindings, firstClusterRoles, namespaceBindings, namespaceRoles } from "./authorization/index.ts";
import { reconcile } from "./reconcile.ts";

const priorityClasses: readonly PriorityClass[] = [
  {
    metadata: { name: "system-cluster-critical" },
    value: 2_000_000_000,
    description:
      "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
  },
  {
    metadata: { name: "system-node-critical" },
    value: 2_000_001_000,
    description: "Used for system critical pods that must not be moved from their current node.",
  },
];

/** Safe to repeat. What users added to the first roles stays. */
export async function bootstrapPolicy(client: ApiClient): Promise<void> {
  const roles = { mend: reconciledRole };
  const bindings = { mend: reconciledBinding, isReplaced: isBindingOfAnotherRole };
  await Promise.all([
    reconcile(client, { resource: resources.clusterRoles, expected: firstClusterRoles(), ...roles }),
    reconcile(client, { resource: resources.clusterRoleBindings, expected: firstClusterBindings, ...bindings }),
    reconcile(client, { resource: resources.roles, expected: namespaceRoles, ...roles }),
    reconcile(client, { resource: resources.roleBindings, expected: namespaceBindings, ...bindings }),
    reconcile(client, {
      resource: resources.priorityClasses,
      expected: priorityClasses,
      mend: (stored) => stored,
    }),
  ]);
}
