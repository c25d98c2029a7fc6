/** The first roles, bindings and priority classes: made where they are missing, mended where they lack something. */
import type { PriorityClass } from "../../api/generated/types.ts";
import { keyOf, keyText } from "../../api/object.ts";
import type { KubernetesObject, Resource } from "../../api/object.ts";
import { resources } from "../../api/resources.ts";
import { ApiError } from "../../api/status.ts";
import type { ApiClient } from "../../client/index.ts";
import { isBindingOfAnotherRole, reconciledBinding, reconciledRole } from "../../model/rbac/index.ts";
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

interface Reconciled<T extends KubernetesObject> {
  readonly resource: Resource<T>;
  readonly expected: readonly T[];
  readonly mend: (stored: T, expected: T) => T;
  /** Where the stored object cannot be mended, but has to go. */
  readonly isReplaced?: (stored: T, expected: T) => boolean;
}

async function reconcile<T extends KubernetesObject>(
  client: ApiClient,
  { resource, expected, mend, isReplaced }: Reconciled<T>,
): Promise<void> {
  const { items } = await client.list(resource);
  const stored = new Map(items.map((object) => [keyText(keyOf(object)), object]));
  await Promise.all(
    expected.map(async (object) => {
      const known = stored.get(keyText(keyOf(object)));
      if (known === undefined) return await client.create(resource, object);
      if (isReplaced?.(known, object) === true) {
        const { uid = "" } = known.metadata ?? {};
        await client.delete(resource, keyOf(known), { preconditions: { uid } });
        return await client.create(resource, object);
      }
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
