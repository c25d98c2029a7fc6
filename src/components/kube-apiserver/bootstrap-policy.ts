/** The first roles, bindings and priority classes: made where they are missing, mended where they lack something. */
import type { PriorityClass } from "../../api/generated/types.ts";
import { keyOf, keyText } from "../../api/object.ts";
import type { KubernetesObject, Resource } from "../../api/object.ts";
import { resources } from "../../api/resources.ts";
import { ApiError } from "../../api/status.ts";
import type { ApiClient } from "../../client/index.ts";
import { reconciledBinding, reconciledRole } from "../../model/rbac/index.ts";
import { firstClusterBindings, firstClusterRoles, namespaceBindings, namespaceRoles } from "./authorization/index.ts";

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
  await Promise.all([
    reconcile(client, resources.clusterRoles, firstClusterRoles(), reconciledRole),
    reconcile(client, resources.clusterRoleBindings, firstClusterBindings, reconciledBinding),
    reconcile(client, resources.roles, namespaceRoles, reconciledRole),
    reconcile(client, resources.roleBindings, namespaceBindings, reconciledBinding),
    reconcile(client, resources.priorityClasses, priorityClasses, (stored) => stored),
  ]);
}

async function reconcile<T extends KubernetesObject>(
  client: ApiClient,
  resource: Resource<T>,
  expected: readonly T[],
  mend: (stored: T, expected: T) => T,
): Promise<void> {
  const { items } = await client.list(resource);
  const stored = new Map(items.map((object) => [keyText(keyOf(object)), object]));
  await Promise.all(
    expected.map(async (object) => {
      const known = stored.get(keyText(keyOf(object)));
      if (known === undefined) return await client.create(resource, object);
      const mended = mend(known, object);
      if (mended === known) return known;
      try {
        return await client.update(resource, mended);
      } catch (error) {
        // A role that somebody else changes at this very moment is mended at the next start.
        if (error instanceof ApiError && error.reason === "Conflict") return known;
        throw error;
      }
    }),
  );
}
