/** Keeps every cluster IP's IPAddress there: at the start, and when somebody takes one away. */
import type { IPAddress, Service } from "../../../api/generated/types.ts";
import { resources } from "../../../api/resources.ts";
import { type IpAddress, ipFamily, parseIpAddress } from "../../../lib/ip/index.ts";
import type { Clock } from "../../../machinery/clock.ts";
import { type EventRecorder, referenceTo } from "../../../machinery/events/index.ts";
import type { Logger } from "../../../machinery/log.ts";
import { serviceOfIpAddress } from "../../../model/service-cidrs/index.ts";
import type { ObjectStore, StoreKey } from "../../../storage/index.ts";
import { addIpAddress, removeIpAddress } from "./addressed-store.ts";
import { heldAddressesOf, ipAddressKey, ipAddressPlace, servicePlace } from "./service-addresses.ts";

/** How Services and IPAddresses differ. */
export interface AddressDifferences {
  /** Held by a Service, and no object says so: stored by a release that had none. */
  readonly missing: readonly (readonly [IpAddress, StoreKey])[];
  /** Of no Service that holds it; users may have made them. */
  readonly idle: readonly IpAddress[];
}

export interface RepairOptions {
  readonly store: ObjectStore;
  readonly clock: Pick<Clock, "now">;
  readonly log: Logger;
  readonly events: Pick<EventRecorder, "event">;
}

/** Resolves when they agree. What users made of their own stays. */
export async function repairAddresses(
  { missing, idle }: AddressDifferences,
  { store, clock }: Pick<RepairOptions, "store" | "clock">,
): Promise<void> {
  await Promise.all([
    ...missing.map(([address, key]) => addIpAddress(store, { address, key, clock })),
    ...idle.map((address) => {
      const stored = store.latest(ipAddressKey(address));
      const owner = stored === undefined ? undefined : serviceOfIpAddress(stored.peek() as IPAddress);
      if (owner === undefined) return undefined;
      const key = { resource: servicePlace, namespace: owner.namespace ?? "", name: owner.name };
      return removeIpAddress(store, { address, key, clock });
    }),
  ]);
}

/** Makes anew what is deleted while its Service has the address, until the returned function is called. */
export function keepAddresses({ store, clock, log, events }: RepairOptions): () => void {
  return store.watch(ipAddressPlace, store.revision, ({ type, current }) => {
    if (type !== "DELETED") return;
    const owner = serviceOfIpAddress(current.object as IPAddress);
    if (owner === undefined) return;
    const key = { resource: servicePlace, namespace: owner.namespace ?? "", name: owner.name };
    const service: Service | undefined = store.latest(key)?.object;
    const address = parseIpAddress(current.key.name);
    if (service === undefined || !heldAddressesOf(service).includes(address)) return;
    events.event(referenceTo(resources.services, service), {
      type: "Warning",
      reason: "ClusterIPNotAllocated",
      message: `Cluster IP [${ipFamily(address)}]: ${address} is not allocated; repairing`,
    });
    addIpAddress(store, { address, key, clock }).catch((error: unknown) => {
      log.warn("cannot make the IPAddress of a service anew", {
        address,
        service: `${key.namespace}/${key.name}`,
        error,
      });
    });
  });
}
