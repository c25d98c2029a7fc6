import { closeSync, openSync } from "node:fs";
import {
  diffNetwork,
  type LinkDifference,
  type MadeLink,
  type NetworkDifference,
  type NetworkOperation,
  type NetworkPlan,
  type NetworkState,
  type PlannedAddress,
  type PlannedForwarding,
  type PlannedNeighbour,
  type PlannedRoute,
  type PlannedSysctl,
} from "../../model/network-state/index.ts";
import { provenanceText } from "../../model/provenance.ts";
import type { NetworkNamespace } from "../network-namespace.ts";
import {
  ChangeMonitor,
  type Link,
  mainTable,
  type MonitorOptions,
  NetlinkError,
  ownerProtocols,
  type NewLink,
  Rtnetlink,
} from "../rtnetlink/index.ts";
import { readSysctl, SysctlError, writeSysctl } from "../sysctl/index.ts";

/**
 * Brings the links, addresses, neighbours, routes, rules and settings of one namespace to what a plan says. Synchronous, on any
 * thread that may enter the namespace. Owns its netlink socket, not the namespace's handle. Must be closed.
 */
export class NamespaceNetwork {
  readonly #namespace: NetworkNamespace;
  readonly #protocol: number;
  readonly #netlink: Rtnetlink;
  readonly #monitorOptions: MonitorOptions;
  #monitor: ChangeMonitor | undefined;

  /** Several owners may share a namespace: each removes only what it has set itself. */
  constructor(namespace: NetworkNamespace, owner: keyof typeof ownerProtocols, options: MonitorOptions = {}) {
    this.#namespace = namespace;
    this.#monitorOptions = options;
    this.#protocol = ownerProtocols[owner];
    this.#netlink = new Rtnetlink(namespace);
  }

  close(): void {
    this.#monitor?.close();
    this.#netlink.close();
  }

  /**
   * Whether anything but settings may have changed since the last call, neighbours and forwarding entries only where the
   * options say so; true for the first. Costs one system call, where `reconcile` takes half a dozen dumps.
   */
  hasChanged(): boolean {
    if (this.#monitor !== undefined) return this.#monitor.hasChanged();
    this.#monitor = new ChangeMonitor(this.#namespace, this.#monitorOptions);
    return true;
  }

  /** Applies the difference between the plan and what is there; a second call does nothing. Throws `NetlinkError` or `SysctlError`. */
  reconcile(plan: NetworkPlan, ownsLink?: (name: string) => boolean): NetworkDifference {
    const links = this.#netlink.links();
    const difference = diffNetwork(plan, this.#read(links, plan), ownsLink);
    this.#applyAll(difference.operations, new Map(links.map((link) => [link.name, link])));
    return difference;
  }

  /** The state, with the values of the settings that `plan` names. */
  read(plan: Pick<NetworkPlan, "sysctls">): NetworkState {
    return this.#read(this.#netlink.links(), plan);
  }

  #read(links: readonly Link[], plan: Pick<NetworkPlan, "sysctls">): NetworkState {
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
        isOurs: protocol === this.#protocol,
      })),
      neighbours: this.#netlink.neighbours().map(({ linkIndex, protocol, ...neighbour }) => ({
        ...neighbour,
        link: nameOf(linkIndex),
        isOurs: protocol === this.#protocol,
      })),
      forwardings: links
        .filter(({ kind }) => kind === "vxlan")
        .flatMap((link) =>
          this.#netlink.forwardings(link).map(({ mac, remote }) => ({ link: link.name, mac, remote })),
        ),
      routes: this.#netlink.routes().map(({ linkIndex, protocol, gateway, source, table, ...route }) => ({
        ...route,
        ...(linkIndex === undefined ? {} : { link: nameOf(linkIndex) }),
        ...(gateway === undefined ? {} : { gateway }),
        ...(source === undefined ? {} : { source }),
        ...(table === mainTable ? {} : { table }),
        isOurs: protocol === this.#protocol,
      })),
      rules: this.#netlink.rules().map(({ protocol, ...rule }) => ({ ...rule, isOurs: protocol === this.#protocol })),
      sysctls: this.#namespace.run(() => new Map(plan.sysctls.flatMap(({ key }) => readEntry(key)))),
    };
  }

  hasLink(name: string): boolean {
    return this.#netlink.findLink(name) !== undefined;
  }

  /** Deleting what is not there (any more) is no error. Throws `NetlinkError` or `SysctlError` at the first that fails. */
  apply(operations: readonly NetworkOperation[]): void {
    this.#applyAll(operations, new Map());
  }

  /** `found`: the links known so far, by name; others are looked up. */
  #applyAll(operations: readonly NetworkOperation[], found: Map<string, Link>): void {
    for (const operation of operations) {
      try {
        this.#applyOne(operation, found);
      } catch (error) {
        if (!isAlreadyGone(operation, error)) throw error;
      }
    }
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
      case "set-neighbour":
        return this.#netlink.setNeighbour(this.#neighbour(operation.neighbour, found));
      case "delete-neighbour":
        return this.#netlink.deleteNeighbour(this.#neighbour(operation.neighbour, found));
      case "set-forwarding":
        return this.#netlink.setForwarding(this.#forwarding(operation.forwarding, found));
      case "delete-forwarding":
        return this.#netlink.deleteForwarding(this.#forwarding(operation.forwarding, found));
      case "set-route":
        return this.#netlink.setRoute(this.#route(operation.route, found));
      case "delete-route":
        return this.#netlink.deleteRoute(this.#route(operation.route, found));
      case "add-rule":
        return this.#netlink.addRule({ ...operation.rule, protocol: this.#protocol });
      case "delete-rule":
        return this.#netlink.deleteRule({ ...operation.rule, protocol: this.#protocol });
      case "set-sysctl":
        return this.#setSysctl(operation.sysctl);
    }
  }

  #setSysctl({ key, value, isOptional }: PlannedSysctl): void {
    try {
      this.#namespace.run(() => writeSysctl(key, value));
    } catch (error) {
      if (!(isOptional === true && error instanceof SysctlError && error.code === "ENOENT")) throw error;
    }
  }

  #createLink(link: MadeLink, found: Map<string, Link>): void {
    const common = {
      name: link.name,
      isUp: true,
      ...(link.mac === undefined ? {} : { mac: link.mac }),
      ...(link.mtuBytes === undefined ? {} : { mtuBytes: link.mtuBytes }),
      ...(link.master === undefined ? {} : { masterIndex: this.#link(link.master, found).index }),
    };
    switch (link.type) {
      case "bridge":
        this.#netlink.createLink({ ...common, kind: "bridge" });
        break;
      case "veth":
        this.#createVeth(link, common);
        break;
      case "vxlan":
        this.#netlink.createLink({ ...common, kind: "vxlan", vxlan: { ...link.vxlan, isLearning: false } });
    }
    this.#netlink.changeLink(this.#link(link.name, found), { alias: provenanceText(link.cause) });
  }

  #createVeth(link: MadeLink & { readonly type: "veth" }, common: Omit<NewLink, "kind" | "peer">): void {
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
      protocol: this.#protocol,
    };
  }

  #neighbour({ link, address, mac }: Omit<PlannedNeighbour, "cause">, found: Map<string, Link>) {
    return { linkIndex: this.#link(link, found).index, address, mac, protocol: this.#protocol };
  }

  #forwarding({ link, mac, remote }: Omit<PlannedForwarding, "cause">, found: Map<string, Link>) {
    return { linkIndex: this.#link(link, found).index, mac, remote };
  }

  #route(route: Omit<PlannedRoute, "cause">, found: Map<string, Link>) {
    return {
      destination: route.destination,
      gateway: route.gateway,
      linkIndex: route.link === undefined ? undefined : this.#link(route.link, found).index,
      isProhibited: route.link === undefined && route.isProhibited === true,
      source: route.source,
      isOnlink: route.isOnlink ?? false,
      table: route.table ?? mainTable,
      protocol: this.#protocol,
    };
  }
}

/** What a deletion wanted to remove went by itself, such as a route with its link. */
function isAlreadyGone(operation: NetworkOperation, error: unknown): boolean {
  if (!operation.type.startsWith("delete-") || !(error instanceof NetlinkError)) return false;
  return ["ENODEV", "ENOENT", "ESRCH", "EADDRNOTAVAIL"].includes(error.code);
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
