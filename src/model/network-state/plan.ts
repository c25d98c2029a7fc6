/** What the links, addresses, routes, rules and settings of one network namespace should be, and what they are. */
import type { Cidr, IpAddress, IpFamily } from "../../lib/ip/index.ts";
import type { Provenance } from "../provenance.ts";

interface LinkBasics {
  readonly name: string;
  /** Undefined leaves the driver's. */
  readonly mtuBytes?: number;
  /** Undefined leaves the kernel's choice. */
  readonly mac?: string;
  /** Name of the bridge it is in. */
  readonly master?: string;
  /** Shown by `ip link` as the link's alias. */
  readonly cause: Provenance;
}

/** All planned links are up. */
export type PlannedLink =
  /** Exists in every namespace. */
  | (LinkBasics & { readonly type: "loopback" })
  /** Made by whoever plans its other end. */
  | (LinkBasics & { readonly type: "given" })
  | (LinkBasics & { readonly type: "bridge" })
  | (LinkBasics & {
      readonly type: "veth";
      readonly peer: { readonly name: string; readonly netnsPath: string; readonly mac?: string };
    })
  | (LinkBasics & { readonly type: "vxlan"; readonly vxlan: VxlanEnd });

/** One end of a VXLAN (RFC 7348). It learns nothing: where its frames go is planned, see `PlannedForwarding`. */
export interface VxlanEnd {
  readonly vni: number;
  /** UDP, of both ends. */
  readonly port: number;
  /** The source of the outer packets. */
  readonly local: IpAddress;
}

export interface PlannedAddress {
  readonly link: string;
  readonly address: IpAddress;
  readonly prefix: number;
  readonly cause: Provenance;
}

export interface PlannedRoute {
  readonly destination: Cidr;
  readonly gateway?: IpAddress;
  /** Undefined: nothing more exact leads there, and the sender is told so at once (an "unreachable" route). */
  readonly link?: string;
  /**
   * Only without a link: the sender is told that it may not go there (a "prohibit" route). Unlike "unreachable", which
   * may pass, this ends waiting at once, for connected UDP sockets too (RFC 1122 section 4.1.3.3).
   */
  readonly isProhibited?: boolean;
  /** The source that the namespace itself uses on it. */
  readonly source?: IpAddress;
  /** The gateway is on the link although no address says so. */
  readonly isOnlink?: boolean;
  /** Undefined is the main table. */
  readonly table?: number;
  readonly cause: Provenance;
}

/** The MAC address behind an address, known from the start: nobody is asked for it. */
export interface PlannedNeighbour {
  readonly link: string;
  readonly address: IpAddress;
  readonly mac: string;
  readonly cause: Provenance;
}

/** Frames for this MAC address leave a VXLAN link in UDP packets to `remote`. Whoever plans the link owns all of its entries. */
export interface PlannedForwarding {
  readonly link: string;
  readonly mac: string;
  readonly remote: IpAddress;
  readonly cause: Provenance;
}

/** Packets that match look their route up in `table` first. */
export interface PlannedRule {
  readonly family: IpFamily;
  readonly priority: number;
  /** "lo": packets of the namespace's own processes; "": all. */
  readonly inLink: string;
  readonly table: number;
  readonly cause: Provenance;
}

export interface PlannedSysctl {
  /** "net/ipv4/ip_forward". */
  readonly key: string;
  readonly value: string;
  /** The link that it belongs to, and is set after. */
  readonly link?: string;
  /** Left out where the kernel has no such setting (IPv6 switched off). */
  readonly isOptional?: true;
  readonly cause: Provenance;
}

export interface NetworkPlan {
  readonly links: readonly PlannedLink[];
  readonly addresses: readonly PlannedAddress[];
  readonly neighbours: readonly PlannedNeighbour[];
  readonly forwardings: readonly PlannedForwarding[];
  readonly routes: readonly PlannedRoute[];
  readonly rules: readonly PlannedRule[];
  readonly sysctls: readonly PlannedSysctl[];
}

export interface LinkState {
  readonly name: string;
  /** The driver: "veth", "bridge", "vxlan"; "" for the loopback. */
  readonly kind: string;
  readonly isUp: boolean;
  readonly mtuBytes: number;
  readonly mac: string;
  readonly alias: string;
  /** "" outside of any bridge. */
  readonly master: string;
  readonly vxlan?: Omit<VxlanEnd, "local"> & { readonly local: IpAddress | undefined; readonly isLearning: boolean };
}

/** What the kernel has. `isOurs`: the plan's owner set it, and removes it when the plan no longer names it. */
export interface NetworkState {
  readonly links: readonly LinkState[];
  readonly addresses: readonly (Pick<PlannedAddress, "link" | "address" | "prefix"> & { readonly isOurs: boolean })[];
  readonly neighbours: readonly (Omit<PlannedNeighbour, "cause"> & { readonly isOurs: boolean })[];
  /** Of VXLAN links. */
  readonly forwardings: readonly Omit<PlannedForwarding, "cause">[];
  readonly routes: readonly (Omit<PlannedRoute, "cause"> & { readonly isOurs: boolean })[];
  readonly rules: readonly (Omit<PlannedRule, "cause"> & { readonly isOurs: boolean })[];
  /** Of the keys that a plan names. */
  readonly sysctls: ReadonlyMap<string, string>;
}

export const emptyPlan: NetworkPlan = {
  links: [],
  addresses: [],
  neighbours: [],
  forwardings: [],
  routes: [],
  rules: [],
  sysctls: [],
};
export const emptyState: NetworkState = {
  links: [],
  addresses: [],
  neighbours: [],
  forwardings: [],
  routes: [],
  rules: [],
  sysctls: new Map(),
};

export function mergePlans(plans: readonly NetworkPlan[]): NetworkPlan {
  return {
    links: plans.flatMap((plan) => plan.links),
    addresses: plans.flatMap((plan) => plan.addresses),
    neighbours: plans.flatMap((plan) => plan.neighbours),
    forwardings: plans.flatMap((plan) => plan.forwardings),
    routes: plans.flatMap((plan) => plan.routes),
    rules: plans.flatMap((plan) => plan.rules),
    sysctls: plans.flatMap((plan) => plan.sysctls),
  };
}
