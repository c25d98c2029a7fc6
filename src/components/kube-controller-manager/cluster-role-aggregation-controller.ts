/** Keeps ClusterRoles that are made of others equal to them. */
import { resources } from "../../api/resources.ts";
import { isJsonEqual } from "../../lib/equal/index.ts";
import { aggregatedRules } from "../../model/rbac/index.ts";
import { whereItStillIs } from "./answers.ts";
import type { CreateController } from "./context.ts";
import { reconcilerOf } from "./context.ts";
import { textOf } from "./keys.ts";

export const createClusterRoleAggregationController: CreateController = (context) => {
  const { client, informers } = context;
  const { clusterRoles } = informers;
  const reconciler = reconcilerOf(context, {
    name: "clusterrole-aggregation",
    waitFor: [clusterRoles],
    reconcile: async (key) => {
      const role = clusterRoles.store.get(key);
      if (role?.aggregationRule === undefined) return;
      const rules = aggregatedRules(role, [...clusterRoles.store.list()]);
      if (isJsonEqual(rules, role.rules ?? [])) return;
      const write = client.update(resources.clusterRoles, { ...role, rules });
      if (await whereItStillIs(write)) clusterRoles.observe(await write);
    },
  });
  // Any role may be a part of any other: there are few that are made of others.
  reconciler.on(clusterRoles, () =>
    [...clusterRoles.store.list()].filter(({ aggregationRule }) => aggregationRule !== undefined).map(textOf),
  );
  return reconciler;
};
