/** ServiceCIDR `kubernetes`: the ranges that the cluster was made with, as upstream's API server keeps it. */
import type { ServiceCIDR } from "../../api/generated/types.ts";
import { resources } from "../../api/resources.ts";
import { ApiError } from "../../api/status.ts";
import type { ApiClient } from "../../client/index.ts";
import { isJsonEqual } from "../../lib/equal/index.ts";
import type { Clock } from "../../machinery/clock.ts";
import { type EventRecorder, referenceTo } from "../../machinery/events/index.ts";
import type { PerFamily } from "../../model/cluster-config.ts";
import { defaultServiceCidrName, serviceCidrFinalizer, withCondition } from "../../model/service-cidrs/index.ts";

export interface DefaultServiceCidr {
  /** Makes it where it is missing: enough for Services to get addresses, and one commit with what is written beside it. */
  readonly make: () => Promise<void>;
  /** Makes it where it is missing, lets the second family join, and says when it is another than configured. Safe to repeat. */
  readonly sync: () => Promise<void>;
}

export function createDefaultServiceCidr(options: {
  readonly client: ApiClient;
  /** "10.96.0.0/12", "fd00:10:96::/112": the primary family's first. */
  readonly serviceCidrs: PerFamily;
  readonly events: Pick<EventRecorder, "event">;
  readonly clock: Pick<Clock, "now">;
}): DefaultServiceCidr {
  const { client, serviceCidrs, events, clock } = options;
  const resource = resources.serviceCidrs;
  let hasToldMismatch = false;

  const settle = async (stored: ServiceCIDR): Promise<void> => {
    const cidrs = stored.spec?.cidrs ?? [];
    if (!isJsonEqual(cidrs, serviceCidrs)) {
      if (cidrs.length === 1 && serviceCidrs.length === 2 && cidrs[0] === serviceCidrs[0]) {
        await client.update(resource, { ...stored, spec: { cidrs: serviceCidrs } });
        return;
      }
      if (hasToldMismatch) return;
      hasToldMismatch = true;
      events.event(referenceTo(resource, stored), {
        type: "Warning",
        reason: "KubernetesDefaultServiceCIDRInconsistent",
        message: `The default ServiceCIDR [${cidrs.join(" ")}] does not match the controller flag configurations [${serviceCidrs.join(" ")}]`,
      });
      return;
    }
    const { metadata, status } = stored;
    // Another state of the condition was somebody's will; an object that goes is the controller's.
    const isSettled = status?.conditions?.some(({ type }) => type === "Ready") === true;
    if (isSettled || metadata?.deletionTimestamp !== undefined) return;
    const now = new Date(clock.now()).toISOString().replace(/\.\d+Z$/, "Z");
    await client.update(resource, withCondition(stored, { is: "firstReady", now }), { subresource: "status" });
  };

  const key = { name: defaultServiceCidrName };
  // Held from its first moment; others get their finalizer from the controller.
  const wanted = { metadata: { ...key, finalizers: [serviceCidrFinalizer] }, spec: { cidrs: serviceCidrs } };
  const find = async (): Promise<ServiceCIDR> => {
    try {
      return await client.get(resource, key);
    } catch (error) {
      if (!(error instanceof ApiError && error.reason === "NotFound")) throw error;
      return await client.create(resource, wanted);
    }
  };
  return {
    make: async () => void (await find()),
    sync: async () => await settle(await find()),
  };
}
