/** Makes added ranges ready for Services, and lets them go when no Service has an address of them any more. */
import type { IPAddress, ServiceCIDR } from "../../api/generated/types.ts";
import { resources } from "../../api/resources.ts";
import { cidrsOverlap } from "../../lib/ip/index.ts";
import { withProtection } from "../../model/persistent-volumes/index.ts";
import {
  containing,
  planServiceCidr,
  rangesOf,
  serviceCidrFinalizer,
  withCondition,
} from "../../model/service-cidrs/index.ts";
import { whereItStillIs } from "./answers.ts";
import type { CreateController } from "./context.ts";
import { reconcilerOf } from "./context.ts";
import { ownKey, versions } from "./keys.ts";

export const createServiceCidrsController: CreateController = (context) => {
  const { client, clock, informers } = context;
  const { serviceCidrs, ipAddresses } = informers;
  const resource = resources.serviceCidrs;

  const setFinalizer = async (cidr: ServiceCIDR, plan: "add" | "remove"): Promise<void> => {
    const { finalizers } = withProtection(cidr, { finalizer: serviceCidrFinalizer, plan }).metadata ?? {};
    const { uid = "", resourceVersion = "" } = cidr.metadata ?? {};
    const body = { metadata: { uid, resourceVersion, finalizers: finalizers ?? null } };
    await whereItStillIs(client.patch(resource, { name: cidr.metadata?.name ?? "" }, { type: "merge", body }));
  };
  const setCondition = async (cidr: ServiceCIDR, is: "ready" | "held"): Promise<void> => {
    const now = new Date(clock.now()).toISOString().replace(/\.\d+Z$/, "Z");
    const next = withCondition(cidr, { is, now });
    if (next !== cidr) await whereItStillIs(client.update(resource, next, { subresource: "status" }));
  };

  const reconciler = reconcilerOf(context, {
    name: "service-cidrs",
    waitFor: [serviceCidrs, ipAddresses],
    reconcile: async (name) => {
      const cidr = serviceCidrs.store.get(name);
      if (cidr === undefined) return undefined;
      const all = serviceCidrs.store.list();
      const plan = planServiceCidr(cidr, { all, addresses: ipAddresses.store.list(), nowMs: clock.now() });
      if (plan.action === "hold") await setCondition(cidr, "held");
      else if (plan.action === "serve") {
        // The write brings us here again, for the condition.
        if (plan.isFinalizerMissing) await setFinalizer(cidr, "add");
        else await setCondition(cidr, "ready");
      } else if (plan.afterMs > 0) return { requeueAfterMs: plan.afterMs };
      else if (cidr.metadata?.finalizers?.includes(serviceCidrFinalizer) === true) await setFinalizer(cidr, "remove");
      return undefined;
    },
  });
  // One that comes or goes may free or hold those that it shares addresses with.
  reconciler.on(serviceCidrs, (change) => {
    const ranges = versions(change).flatMap(rangesOf);
    const others = serviceCidrs.store
      .list()
      .filter((other) => rangesOf(other).some((range) => ranges.some((own) => cidrsOverlap(range, own))));
    return [...ownKey(change), ...others.map(({ metadata }) => metadata?.name ?? "")];
  });
  // Only ranges that go depend on addresses, and they are few: ten thousands of Services come and go past this.
  reconciler.on(ipAddresses, (change) => {
    const leaving = serviceCidrs.store.list().filter(({ metadata }) => metadata?.deletionTimestamp !== undefined);
    if (leaving.length === 0) return [];
    return versions<IPAddress>(change).flatMap((address) => containing(address, leaving));
  });
  return reconciler;
};
