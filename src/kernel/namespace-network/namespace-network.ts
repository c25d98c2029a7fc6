import { closeSync, openSync } from "node:fs";
import {
  diffNetwork,
  type LinkDifference,
  type NetworkDifference,
  type NetworkOperation,
  type NetworkPlan,
  type NetworkState,
  type PlannedAddress,
  type PlannedLink,
  type PlannedRoute,
} from "../../model/network-state/index.ts";
import { provenanceText } from "../../model/provenance.ts";
import type { NetworkNamespace } from "../network-namespace.ts";
import { type Link, mainTable, NetlinkError, netloomProtocol, type NewLink, Rtnetlink } from "../rtnetlink/index.ts";
import { readSysctl, SysctlError, writeSysctl } from "../sysctl/index.ts";

/**
 * Brings the links, addresses, routes, rules and settings of one namespace to what a plan says. Synchronous, on any
 * thread that may enter the namespace. Owns its netlink socket, not the namespace's handle. Must be closed.
 */
export class NamespaceNetwork {
  readonly #namespace: NetworkNamespace;
  readonly #netlink: Rtnetlink;

  constructor(namespace: NetworkNamespace) {
    this.#namespace = namespace;
    this.#netlink = new Rtnetlink(namespace);
  }

  close(): void {
    this.#netlink.close();
  }

  /** Applies the difference between the plan and what is there; a second call does nothing. Throws `NetlinkError` or `SysctlError`. */
  reconcile(plan: NetworkPlan, ownsLink?: (name: string) => boolean): NetworkDifference {
    const difference = diffNetwork(plan, this.read(plan), ownsLink);
    this.apply(difference.operations);
    return difference;
  }

  /** The state, with the values of the settings that `plan` names. */
  read(plan: Pick<NetworkPlan, "sysctls">): NetworkState {
    const links = this.#netlink.links();
    const names = new Map(links.map(({ index, name }) => [index, name]));
    const nameOf = (index: number): string => names.get(index) ?? `#${index}`;
    return {
      links: links.map((link) => ({
        ...link,
        master: link.masterIndex === undefined ? "" : nameOf(link.masterIndex),
      })),
      addresses: this.#netlink.addresses().map(({ linkIndex, protocol, ...address }) => ({
        ...address,
        link: nameOf(linkIndex),
        isOurs: protocol === netloomProtocol,
      })),
      routes: this.#netlink.routes().map(({ linkIndex, protocol, gateway, source, table, ...route }) => ({
        ...route,
        link: nameOf(linkIndex),
        ...(gateway === undefined ? {} : { gateway }),
        ...(source === undefined ? {} : { source }),
        ...(table === mainTable ? {} : { table }),
        isOurs: protocol === netloomProtocol,
      })),
      rules: this.#netlink.rules().map(({ protocol, ...rule }) => ({ ...rule, isOurs: protocol === netloomProtocol })),
      sysctls: this.#namespace.run(() => new Map(plan.sysctls.flatMap(({ key }) => readEntry(key)))),
    };
  }

  apply(operations: readonly NetworkOperation[]): void {
    // Indexes of links by name, as far as they are known in this call.
    const found = new Map<string, Link>();
    for (const operation of operations) this.#applyOne(operation, found);
  }

  #applyOne(operation: NetworkOperation, found: Map<string, Link>): void {
    switch (operation.type) {
      case "create-link":
        return this.#createLink(operation.link, found);
      case "change-link":
        return this.#netlink.changeLink(this.#link(operation.name, found), this.#change(operation.change, found));
      case "delete-link":
        return this.#deleteLink(operation.name, found);
      case "add-address":
        return this.#netlink.addAddress(this.#address(operation.address, found));
      case "delete-address":
        return this.#netlink.deleteAddress(this.#address(operation.address, found));
      case "set-route":
        return this.#netlink.setRoute(this.#route(operation.route, found));
      case "delete-route":
        return this.#netlink.deleteRoute(this.#route(operation.route, found));
      case "add-rule":
        return this.#netlink.addRule({ ...operation.rule, protocol: netloomProtocol });
      case "delete-rule":
        return this.#netlink.deleteRule({ ...operation.rule, protocol: netloomProtocol });
      case "set-sysctl":
        return this.#namespace.run(() => writeSysctl(operation.sysctl.key, operation.sysctl.value));
    }
  }

  #createLink(link: PlannedLink & { readonly type: "bridge" | "veth" }, found: Map<string, Link>): void {
    const common = {
      name: link.name,
      isUp: true,
      ...(link.mac === undefined ? {} : { mac: link.mac }),
      ...(link.mtuBytes === undefined ? {} : { mtuBytes: link.mtuBytes }),
      ...(link.master === undefined ? {} : { masterIndex: this.#link(link.master, found).index }),
    };
    if (link.type === "bridge") this.#netlink.createLink({ ...common, kind: "bridge" });
    else this.#createVeth(link, common);
    this.#netlink.changeLink(this.#link(link.name, found), { alias: provenanceText(link.cause) });
  }

  #createVeth(link: PlannedLink & { readonly type: "veth" }, common: Omit<NewLink, "kind" | "peer">): void {
    const { netnsPath, ...peer } = link.peer;
    const mtu = link.mtuBytes === undefined ? {} : { mtuBytes: link.mtuBytes };
    const namespaceFd = openSync(netnsPath, "r");
    try {
      this.#netlink.createLink({ ...common, kind: "veth", peer: { ...peer, ...mtu, namespaceFd } });
    } finally {
      closeSync(namespaceFd);
    }
  }

  #deleteLink(name: string, found: Map<string, Link>): void {
    const link = found.get(name) ?? this.#netlink.findLink(name);
    found.delete(name);
    // Its other end may have gone a moment ago.
    if (link !== undefined) this.#netlink.deleteLink(link);
  }

  #link(name: string, found: Map<string, Link>): Link {
    const link = found.get(name) ?? this.#netlink.findLink(name);
    if (link === undefined) throw new NetlinkError(`use link "${name}"`, { errno: 19, detail: "" });
    found.set(name, link);
    return link;
  }

  #change({ master, ...change }: LinkDifference, found: Map<string, Link>) {
    if (master === undefined) return change;
    return { ...change, masterIndex: master === "" ? 0 : this.#link(master, found).index };
  }

  #address(address: Omit<PlannedAddress, "cause">, found: Map<string, Link>) {
    return {
      linkIndex: this.#link(address.link, found).index,
      address: address.address,
      prefix: address.prefix,
      protocol: netloomProtocol,
    };
  }

  #route(route: Omit<PlannedRoute, "cause">, found: Map<string, Link>) {
    return {
      destination: route.destination,
      gateway: route.gateway,
      linkIndex: this.#link(route.link, found).index,
      source: route.source,
      isOnlink: route.isOnlink ?? false,
      table: route.table ?? mainTable,
      protocol: netloomProtocol,
    };
  }
}

function readEntry(key: string): readonly (readonly [string, string])[] {
  try {
    return [[key, readSysctl(key)]];
  } catch (error) {
    // Settings of a link that is not there yet.
    if (error instanceof SysctlError && error.code === "ENOENT") return [];
    throw error;
  }
}
