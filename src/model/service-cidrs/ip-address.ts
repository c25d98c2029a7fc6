/** The IPAddress object that says which Service has a cluster IP. */
import type { IPAddress } from "../../api/generated/types.ts";
import type { ObjectKey } from "../../api/object.ts";
import { type IpAddress, ipFamily } from "../../lib/ip/index.ts";

const managedByLabel = "ipaddress.kubernetes.io/managed-by";
const familyLabel = "ipaddress.kubernetes.io/ip-family";
const allocator = "ipallocator.k8s.io";

/** Without what the server gives every object. */
export function ipAddressOf(address: IpAddress, service: ObjectKey): IPAddress {
  const { namespace = "", name } = service;
  return {
    metadata: { name: address, labels: { [familyLabel]: ipFamily(address), [managedByLabel]: allocator } },
    spec: { parentRef: { name, namespace, resource: "services" } },
  };
}

/** Whether the API server made it for a Service; others, which users make, hold nothing. */
export function isAllocatedToService({ metadata }: IPAddress): boolean {
  return metadata?.labels?.[managedByLabel] === allocator;
}

/** The Service that an address of ours belongs to; undefined for what others made. */
export function serviceOfIpAddress(object: IPAddress): ObjectKey | undefined {
  const { resource, group = "", namespace = "", name } = object.spec.parentRef;
  if (!isAllocatedToService(object) || resource !== "services" || group !== "") return undefined;
  return { namespace, name };
}
