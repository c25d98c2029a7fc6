/** Pods of other nodes by plain routes: each node is the gateway to its own (flannel's "host-gw" way). */
import { ipFamily } from "../../lib/ip/index.ts";
import { emptyPlan, type NetworkPlan, type PlannedRoute } from "../network-state/index.ts";
import type { NodeNetwork } from "./node-network.ts";

/** Nodes without an address of a CIDR's family get no route to it. */
export function planHostGateways(others: readonly NodeNetwork[], uplink: string): NetworkPlan {
  return { ...emptyPlan, routes: others.flatMap((other) => routesTo(other, uplink)) };
}

function routesTo({ name, addresses, podCidrs }: NodeNetwork, link: string): readonly PlannedRoute[] {
  return podCidrs.flatMap((destination) =>
    addresses
      .filter((address) => ipFamily(address) === ipFamily(destination))
      .slice(0, 1)
      .map((gateway) => ({ destination, gateway, link, cause: { kind: "Node", name } })),
  );
}
