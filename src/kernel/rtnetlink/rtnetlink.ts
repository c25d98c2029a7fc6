import type { NetworkNamespace } from "../network-namespace.ts";
import {
  decodeAddress,
  encodeAddressDeletion,
  encodeAddressQuery,
  encodeNewAddress,
  type LinkAddress,
} from "./address.ts";
import {
  decodeForwarding,
  encodeForwardingDeletion,
  encodeForwardingQuery,
  encodeNewForwarding,
  type Forwarding,
} from "./forwarding.ts";
import {
  decodeLink,
  encodeLinkChange,
  encodeLinkDeletion,
  encodeLinkQuery,
  encodeNewLink,
  type Link,
  type LinkChange,
  type NewLink,
} from "./link.ts";
import {
  decodeNeighbour,
  encodeNeighbourDeletion,
  encodeNeighbourQuery,
  encodeNewNeighbour,
  type Neighbour,
} from "./neighbour.ts";
import { decodeRoute, encodeNewRoute, encodeRouteDeletion, encodeRouteQuery, type Route } from "./route.ts";
import { decodeRule, encodeNewRule, encodeRuleDeletion, encodeRuleQuery, type RoutingRule } from "./rule.ts";
import { NetlinkError, NetlinkSocket } from "./socket.ts";

/**
 * Links, addresses, routes, neighbours and rules of one network namespace. All calls are synchronous, may come from any thread, and
 * throw `NetlinkError`. Must be closed.
 */
export class Rtnetlink {
  readonly #socket: NetlinkSocket;

  constructor(namespace: NetworkNamespace) {
    this.#socket = new NetlinkSocket(namespace);
  }

  close(): void {
    this.#socket.close();
  }

  links(): readonly Link[] {
    return this.#socket.request("list links", (sequence) => encodeLinkQuery(undefined, sequence)).map(decodeLink);
  }

  /** Undefined where there is no link of that name. */
  findLink(name: string): Link | undefined {
    try {
      const [answer] = this.#socket.request(`look up link "${name}"`, (sequence) => encodeLinkQuery(name, sequence));
      return answer === undefined ? undefined : decodeLink(answer);
    } catch (error) {
      if (error instanceof NetlinkError && error.code === "ENODEV") return undefined;
      throw error;
    }
  }

  createLink(link: NewLink): void {
    this.#socket.request(`create ${link.kind} "${link.name}"`, (sequence) => encodeNewLink(link, sequence));
  }

  changeLink(link: { readonly index: number; readonly name: string }, change: LinkChange): void {
    this.#socket.request(`change link "${link.name}"`, (sequence) => encodeLinkChange(link.index, change, sequence));
  }

  deleteLink(link: { readonly index: number; readonly name: string }): void {
    this.#socket.request(`delete link "${link.name}"`, (sequence) => encodeLinkDeletion(link.index, sequence));
  }

  addresses(): readonly LinkAddress[] {
    return this.#socket
      .request("list addresses", encodeAddressQuery)
      .flatMap((payload) => decodeAddress(payload) ?? []);
  }

  addAddress(address: LinkAddress): void {
    const action = `add address ${address.address}/${address.prefix} to link ${address.linkIndex}`;
    this.#socket.request(action, (sequence) => encodeNewAddress(address, sequence));
  }

  deleteAddress(address: LinkAddress): void {
    const action = `delete address ${address.address}/${address.prefix} of link ${address.linkIndex}`;
    this.#socket.request(action, (sequence) => encodeAddressDeletion(address, sequence));
  }

  /** Of all tables: unicast routes over one link. */
  routes(): readonly Route[] {
    return this.#socket.request("list routes", encodeRouteQuery).flatMap((payload) => decodeRoute(payload) ?? []);
  }

  /** Adds it, or replaces the one to the same destination in the same table. */
  setRoute(route: Route): void {
    this.#socket.request(`set ${routeText(route)}`, (sequence) => encodeNewRoute(route, sequence));
  }

  deleteRoute(route: Route): void {
    this.#socket.request(`delete ${routeText(route)}`, (sequence) => encodeRouteDeletion(route, sequence));
  }

  /** The permanent ones. */
  neighbours(): readonly Neighbour[] {
    return this.#socket
      .request("list neighbours", encodeNeighbourQuery)
      .flatMap((payload) => decodeNeighbour(payload) ?? []);
  }

  /** Adds it, or replaces the entry of the same address. */
  setNeighbour(neighbour: Neighbour): void {
    const action = `set neighbour ${neighbour.address} of link ${neighbour.linkIndex}`;
    this.#socket.request(action, (sequence) => encodeNewNeighbour(neighbour, sequence));
  }

  deleteNeighbour(neighbour: Neighbour): void {
    const action = `delete neighbour ${neighbour.address} of link ${neighbour.linkIndex}`;
    this.#socket.request(action, (sequence) => encodeNeighbourDeletion(neighbour, sequence));
  }

  /** The permanent ones of a VXLAN link. */
  forwardings(link: { readonly index: number; readonly name: string }): readonly Forwarding[] {
    return this.#socket
      .request(`list forwarding entries of link "${link.name}"`, (sequence) =>
        encodeForwardingQuery(link.index, sequence),
      )
      .flatMap((payload) => decodeForwarding(payload) ?? []);
  }

  /** Adds it, or replaces the entry of the same MAC address. */
  setForwarding(forwarding: Forwarding): void {
    const action = `set forwarding entry ${forwarding.mac} of link ${forwarding.linkIndex}`;
    this.#socket.request(action, (sequence) => encodeNewForwarding(forwarding, sequence));
  }

  deleteForwarding(forwarding: Forwarding): void {
    const action = `delete forwarding entry ${forwarding.mac} of link ${forwarding.linkIndex}`;
    this.#socket.request(action, (sequence) => encodeForwardingDeletion(forwarding, sequence));
  }

  rules(): readonly RoutingRule[] {
    return this.#socket.request("list rules", encodeRuleQuery).flatMap((payload) => decodeRule(payload) ?? []);
  }

  addRule(rule: RoutingRule): void {
    this.#socket.request(`add routing rule ${rule.priority}`, (sequence) => encodeNewRule(rule, sequence));
  }

  deleteRule(rule: RoutingRule): void {
    this.#socket.request(`delete routing rule ${rule.priority}`, (sequence) => encodeRuleDeletion(rule, sequence));
  }
}

function routeText(route: Route): string {
  return `route to ${route.destination}${route.gateway === undefined ? "" : ` via ${route.gateway}`}`;
}
