/**
 * The store as the server's resources see it: whoever writes a Service writes the IPAddresses of its cluster IPs with it,
 * in one commit. So there is never one without the other, and a write of a Service waits for no second one.
 */
import { randomUUID } from "node:crypto";
import type { IPAddress } from "../../../api/generated/types.ts";
import { apiVersionOf } from "../../../api/object.ts";
import type { KubernetesObject } from "../../../api/object.ts";
import { resources } from "../../../api/resources.ts";
import type { IpAddress } from "../../../lib/ip/index.ts";
import type { Clock } from "../../../machinery/clock.ts";
import { ipAddressOf, serviceOfIpAddress } from "../../../model/service-cidrs/index.ts";
import type { ObjectStore, Stored, StoreKey } from "../../../storage/index.ts";
import { timestampOf } from "../resources/create.ts";
import { heldAddressesOf, ipAddressKey, servicePlace } from "./service-addresses.ts";

/** Adds nothing to writes of anything but Services. Whoever opened `store` closes it. */
export function withServiceAddresses(store: ObjectStore, clock: Pick<Clock, "now">): ObjectStore {
  const write = async (
    key: StoreKey,
    { before, after, service }: { before?: KubernetesObject; after?: KubernetesObject; service: () => Promise<Stored> },
  ): Promise<Stored> => {
    const had = before === undefined ? [] : heldAddressesOf(before);
    const has = after === undefined ? [] : heldAddressesOf(after);
    // All are handed to the store before anything waits: one commit.
    const writes = [
      ...has.filter((address) => !had.includes(address)).map((address) => addIpAddress(store, { address, key, clock })),
      ...had
        .filter((address) => !has.includes(address))
        .map((address) => removeIpAddress(store, { address, key, clock })),
    ];
    const [stored] = await Promise.all([service(), ...writes]);
    return stored;
  };
  /** What is written over; undefined where the store is about to refuse. */
  const replaced = (key: StoreKey, revision: number): KubernetesObject | undefined => {
    const latest = key.resource === servicePlace ? store.latest(key) : undefined;
    return latest?.revision === revision ? latest.object : undefined;
  };
  return {
    get failure() {
      return store.failure;
    },
    get revision() {
      return store.revision;
    },
    get: (key) => store.get(key),
    latest: (key) => store.latest(key),
    list: (resource, options) => store.list(resource, options),
    count: (resource) => store.count(resource),
    resources: () => store.resources(),
    create: (key, object) => {
      const service = (): Promise<Stored> => store.create(key, object);
      if (key.resource !== servicePlace || store.latest(key) !== undefined) return service();
      return write(key, { after: object, service });
    },
    update: (key, object, revision) => {
      const service = (): Promise<Stored> => store.update(key, object, revision);
      const before = replaced(key, revision);
      return before === undefined ? service() : write(key, { before, after: object, service });
    },
    delete: (key, revision) => {
      const service = (): Promise<Stored> => store.delete(key, revision);
      const before = replaced(key, revision);
      return before === undefined ? service() : write(key, { before, service });
    },
    watch: (resource, fromRevision, listener) => store.watch(resource, fromRevision, listener),
    compact: (revision) => store.compact(revision),
    letGoOfUnread: () => store.letGoOfUnread(),
    close: () => store.close(),
  };
}

interface Change {
  readonly address: IpAddress;
  /** Of the Service. */
  readonly key: StoreKey;
  readonly clock: Pick<Clock, "now">;
}

/** Makes it where it is not there. */
export async function addIpAddress(store: ObjectStore, { address, key, clock }: Change): Promise<void> {
  const own = ipAddressKey(address);
  if (store.latest(own) !== undefined) return;
  const { metadata, spec } = ipAddressOf(address, key);
  const time = timestampOf(clock.now());
  const { kind } = resources.ipAddresses;
  const apiVersion = apiVersionOf(resources.ipAddresses);
  const managedFields = [
    { manager: "kube-apiserver", operation: "Update", apiVersion, time, fieldsType: "FieldsV1", fieldsV1: ownFields },
  ];
  const identity = { uid: randomUUID(), creationTimestamp: time, managedFields };
  await store.create(own, { kind, apiVersion, metadata: { ...metadata, ...identity }, spec } as IPAddress);
}

/** What the server owns of an IPAddress that it makes: the same of each. */
const ownFields = {
  "f:metadata": {
    "f:labels": { ".": {}, "f:ipaddress.kubernetes.io/ip-family": {}, "f:ipaddress.kubernetes.io/managed-by": {} },
  },
  "f:spec": {
    ".": {},
    "f:parentRef": { ".": {}, "f:name": {}, "f:namespace": {}, "f:resource": {} },
  },
};

/** Takes it away where it is the Service's; one that a finalizer holds is marked, as any deletion marks it. */
export async function removeIpAddress(store: ObjectStore, { address, key, clock }: Change): Promise<void> {
  const own = ipAddressKey(address);
  const latest = store.latest(own);
  if (latest === undefined) return;
  const object = latest.object as IPAddress;
  const owner = serviceOfIpAddress(object);
  if (owner?.name !== key.name || owner.namespace !== key.namespace) return;
  const { finalizers = [], deletionTimestamp } = object.metadata ?? {};
  if (finalizers.length === 0) {
    await store.delete(own, latest.revision);
    return;
  }
  if (deletionTimestamp !== undefined) return;
  const marked = { deletionTimestamp: timestampOf(clock.now()), deletionGracePeriodSeconds: 0 };
  const leaving: IPAddress = { ...object, metadata: { ...object.metadata, ...marked } };
  await store.update(own, leaving, latest.revision);
}
