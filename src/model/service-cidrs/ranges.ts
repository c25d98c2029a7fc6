/** What a ServiceCIDR is to those who give out addresses of it or route by it. */
import type { ServiceCIDR } from "../../api/generated/types.ts";
import {
  type Cidr,
  cidrContains,
  cidrNetwork,
  type IpAddress,
  ipFamily,
  IpParseError,
  nthAddress,
  parseCidr,
} from "../../lib/ip/index.ts";

/** The one that the API server makes of the cluster's configuration. */
export const defaultServiceCidrName = "kubernetes";

/** Its ranges in order; none of a stored object from before they were validated. */
export function rangesOf({ spec }: ServiceCIDR): readonly Cidr[] {
  return (spec?.cidrs ?? []).flatMap((text) => {
    try {
      return [parseCidr(text)];
    } catch (error) {
      if (error instanceof IpParseError) return [];
      throw error;
    }
  });
}

/** Whether Services may get addresses of it. One that no controller has looked at yet counts as ready, as upstream's. */
export function isReady({ metadata, status }: ServiceCIDR): boolean {
  if (metadata?.deletionTimestamp !== undefined) return false;
  const condition = status?.conditions?.find(({ type }) => type === "Ready");
  return condition === undefined || condition.status === "True";
}

/** Whether a Service can have the address of this range: never the network's own, nor the broadcast address of IPv4. */
export function givesOut(range: Cidr, address: IpAddress): boolean {
  if (!cidrContains(range, address) || cidrNetwork(range) === address) return false;
  return ipFamily(range) === "IPv6" || nthAddress(range, -1) !== address;
}
