/**
 * The IPAddress objects beside the Services: one for each address that is taken. Upstream allocates by making them; here
 * Services themselves tell which addresses are taken, and these follow in a moment, for whoever lists them.
 */
import type { IPAddress } from "../../../api/generated/types.ts";
import type { KubernetesObject } from "../../../api/object.ts";
import { resources } from "../../../api/resources.ts";
import { ApiError } from "../../../api/status.ts";
import type { ApiClient } from "../../../client/index.ts";
import { ipFamily, parseIpAddress } from "../../../lib/ip/index.ts";
import type { Clock } from "../../../machinery/clock.ts";
import type { Logger } from "../../../machinery/log.ts";
import type { ObjectStore } from "../../../storage/index.ts";
import { clusterIpsOf } from "./allocations.ts";

const collections = { services: "services", addresses: "ipaddresses.networking.k8s.io" } as const;
const managedByLabel = "ipaddress.kubernetes.io/managed-by";
const manager = "ipallocator.k8s.io";
/** Changes are gathered for so long: writes of Services come first. */
const gatherMs = 100;
const retryMs = 5000;

interface Owner {
  readonly namespace: string;
  readonly name: string;
}

/** Runs until the signal aborts. Objects that others made are left alone. */
export async function keepIpAddresses(
  options: { readonly store: ObjectStore; readonly client: ApiClient; readonly clock: Clock; readonly log: Logger },
  signal: AbortSignal,
): Promise<void> {
  const { store, client, clock, log } = options;
  const owners = new Map<string, Owner>();
  const due = new Set<string>();
  let wake = (): void => undefined;
  const note = (address: string): void => {
    due.add(address);
    wake();
  };
  const claim = (service: KubernetesObject): void => {
    const { namespace = "", name = "" } = service.metadata ?? {};
    for (const address of addressesOf(service)) {
      owners.set(address, { namespace, name });
      note(address);
    }
  };
  const release = (service: KubernetesObject): void => {
    const { namespace, name } = service.metadata ?? {};
    for (const address of addressesOf(service)) {
      const owner = owners.get(address);
      if (owner?.namespace === namespace && owner?.name === name) owners.delete(address);
      note(address);
    }
  };
  const services = store.list(collections.services);
  for (const { object } of services.items) claim(object);
  for (const { key } of store.list(collections.addresses).items) note(key.name);
  const unwatch = [
    store.watch(collections.services, services.revision, ({ type, current, previous }) => {
      const isSame = type !== "DELETED" && previous !== undefined && haveSameAddresses(current.object, previous.object);
      if (isSame) return;
      if (previous !== undefined) release(previous.object);
      if (type !== "DELETED") claim(current.object);
    }),
    store.watch(collections.addresses, services.revision, ({ type, current }) => {
      if (type === "DELETED") note(current.key.name);
    }),
  ];
  signal.addEventListener("abort", () => wake(), { once: true });
  while (!signal.aborted) {
    if (due.size === 0) await new Promise<void>((resolve) => (wake = resolve));
    await clock.sleep(gatherMs, signal).catch(() => undefined);
    if (signal.aborted) break;
    const addresses = [...due];
    due.clear();
    try {
      // One turn, one commit.
      await Promise.all(
        addresses.map(async (address) => await settle(address, { store, client, owner: owners.get(address) })),
      );
    } catch (error) {
      log.warn("IPAddress objects lag behind the Services, trying again", { error });
      for (const address of addresses) due.add(address);
      await clock.sleep(retryMs, signal).catch(() => undefined);
    }
  }
  for (const stop of unwatch) stop();
}

function addressesOf(service: KubernetesObject): readonly string[] {
  return clusterIpsOf(service).map((address) => parseIpAddress(address));
}

function haveSameAddresses(one: KubernetesObject, other: KubernetesObject): boolean {
  return clusterIpsOf(one).join() === clusterIpsOf(other).join();
}

async function settle(
  address: string,
  {
    store,
    client,
    owner,
  }: { readonly store: ObjectStore; readonly client: ApiClient; readonly owner: Owner | undefined },
): Promise<void> {
  const stored = store.latest({ resource: collections.addresses, namespace: "", name: address })?.object as
    | IPAddress
    | undefined;
  if (stored !== undefined && stored.metadata?.labels?.[managedByLabel] !== manager) return;
  const parent = stored?.spec.parentRef;
  if (owner !== undefined && parent?.namespace === owner.namespace && parent.name === owner.name) return;
  if (stored !== undefined) await unless("NotFound", client.delete(resources.ipAddresses, { name: address }));
  if (owner !== undefined)
    await unless("AlreadyExists", client.create(resources.ipAddresses, ipAddress(address, owner)));
}

function ipAddress(address: string, owner: Owner): IPAddress {
  return {
    metadata: {
      name: address,
      labels: {
        "ipaddress.kubernetes.io/ip-family": ipFamily(parseIpAddress(address)),
        [managedByLabel]: manager,
      },
    },
    spec: { parentRef: { resource: "services", ...owner } },
  };
}

async function unless(reason: string, write: Promise<unknown>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!(error instanceof ApiError && error.reason === reason)) throw error;
  }
}
