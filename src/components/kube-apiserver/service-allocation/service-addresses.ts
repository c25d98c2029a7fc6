/** A Service's addresses and the IPAddress objects that stand for them. */
import type { Service } from "../../../api/generated/types.ts";
import type { KubernetesObject } from "../../../api/object.ts";
import { resources } from "../../../api/resources.ts";
import { type IpAddress, isIpAddress, parseIpAddress } from "../../../lib/ip/index.ts";
import type { StoreKey } from "../../../storage/index.ts";

export const servicePlace = "services";
const { group, plural } = resources.ipAddresses;
export const ipAddressPlace = `${plural}.${group}`;

export function ipAddressKey(address: IpAddress): StoreKey {
  return { resource: ipAddressPlace, namespace: "", name: address };
}

/** The addresses a Service holds, as it writes them; none for headless and external ones. */
export function clusterIpsOf(service: KubernetesObject): readonly string[] {
  const { spec } = service as Service;
  if (spec === undefined || spec.type === "ExternalName") return [];
  const addresses = spec.clusterIPs ?? (spec.clusterIP === undefined ? [] : [spec.clusterIP]);
  return addresses.filter((address) => address !== "" && address !== "None");
}

/** The same in canonical form, by which they are counted and IPAddresses called. */
export function heldAddressesOf(service: KubernetesObject): readonly IpAddress[] {
  return clusterIpsOf(service).flatMap((text) => (isIpAddress(text) ? [parseIpAddress(text)] : []));
}
