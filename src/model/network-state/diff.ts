/**
 * The smallest difference between a plan and the kernel's state, in an order the kernel accepts: what goes, settings
 * that new links inherit, links, their settings, addresses, neighbours and forwarding entries, routes (which need links
 * and addresses), rules.
 */
import type { Cidr } from "../../lib/ip/index.ts";
import { provenanceText } from "../provenance.ts";
import type {
  LinkState,
  NetworkPlan,
  NetworkState,
  PlannedAddress,
  PlannedForwarding,
  PlannedLink,
  PlannedNeighbour,
  PlannedRoute,
  PlannedRule,
  PlannedSysctl,
} from "./plan.ts";

export interface LinkDifference {
  readonly isUp?: true;
  readonly mtuBytes?: number;
  readonly mac?: string;
  readonly alias?: string;
  /** "" takes it out. */
  readonly master?: string;
}

/** What the plan's owner makes itself. */
export type MadeLink = PlannedLink & { readonly type: "bridge" | "veth" | "vxlan" };

export type NetworkOperation =
  | { readonly type: "create-link"; readonly link: MadeLink }
  | { readonly type: "change-link"; readonly name: string; readonly change: LinkDifference }
  | { readonly type: "delete-link"; readonly name: string }
  | { readonly type: "add-address"; readonly address: PlannedAddress }
  | { readonly type: "delete-address"; readonly address: Omit<PlannedAddress, "cause"> }
  | { readonly type: "set-neighbour"; readonly neighbour: PlannedNeighbour }
  | { readonly type: "delete-neighbour"; readonly neighbour: Omit<PlannedNeighbour, "cause"> }
  | { readonly type: "set-forwarding"; readonly forwarding: PlannedForwarding }
  | { readonly type: "delete-forwarding"; readonly forwarding: Omit<PlannedForwarding, "cause"> }
  | { readonly type: "set-route"; readonly route: PlannedRoute }
  | { readonly type: "delete-route"; readonly route: Omit<PlannedRoute, "cause"> }
  | { readonly type: "add-rule"; readonly rule: PlannedRule }
  | { readonly type: "delete-rule"; readonly rule: Omit<PlannedRule, "cause"> }
  | { readonly type: "set-sysctl"; readonly sysctl: PlannedSysctl };

export interface NetworkDifference {
  /** Empty where the kernel has what the plan says. */
  readonly operations: readonly NetworkOperation[];
  /** Links of type "given" that are not there yet; what is planned on them is left out. */
  readonly missingLinks: readonly string[];
}

/** `ownsLink` says which links are removed when the plan does not name them; by default none. */
export function diffNetwork(
  plan: NetworkPlan,
  state: NetworkState,
  ownsLink: (name: string) => boolean = () => false,
): NetworkDifference {
  const existing = new Map(state.links.map((link) => [link.name, link]));
  const planned = new Map(plan.links.map((link) => [link.name, link]));
  const missingLinks = plan.links.filter((link) => isGiven(link) && !existing.has(link.name)).map(({ name }) => name);
  const isPresent = (link: string): boolean => !missingLinks.includes(link);
  const [early, late] = diffSysctls(plan, state).reduce<[NetworkOperation[], NetworkOperation[]]>(
    (groups, operation) => {
      if (operation.sysctl.link === undefined) groups[0].push(operation);
      else if (isPresent(operation.sysctl.link)) groups[1].push(operation);
      return groups;
    },
    [[], []],
  );
  return {
    missingLinks,
    operations: [
      ...removals(plan, state),
      ...state.links
        .filter(({ name }) => !planned.has(name) && ownsLink(name))
        .map(({ name }) => ({ type: "delete-link", name }) as const),
      ...early,
      ...plan.links.flatMap((link) => diffLink(link, existing.get(link.name))),
      ...late,
      ...addedAddresses(plan, state, isPresent),
      ...addedNeighbours(plan, state, isPresent),
      ...addedForwardings(plan, state),
      ...addedRoutes(plan, state, isPresent),
      ...addedRules(plan, state),
    ],
  };
}

function isGiven(link: PlannedLink): boolean {
  return link.type === "given" || link.type === "loopback";
}

function diffLink(link: PlannedLink, actual: LinkState | undefined): readonly NetworkOperation[] {
  if (actual === undefined) return isMade(link) ? [{ type: "create-link", link }] : [];
  if (isMade(link) && (actual.kind !== link.type || !isSameEnd(link, actual))) {
    return [
      { type: "delete-link", name: link.name },
      { type: "create-link", link },
    ];
  }
  const alias = link.type === "loopback" ? undefined : provenanceText(link.cause);
  const change: LinkDifference = {
    ...(actual.isUp ? {} : { isUp: true }),
    ...differing("mtuBytes", link.mtuBytes, actual.mtuBytes),
    ...differing("mac", link.mac, actual.mac),
    ...differing("alias", alias, actual.alias),
    ...differing("master", link.master, actual.master),
  };
  return Object.keys(change).length === 0 ? [] : [{ type: "change-link", name: link.name, change }];
}

function isMade(link: PlannedLink): link is MadeLink {
  return link.type === "bridge" || link.type === "veth" || link.type === "vxlan";
}

/** The kernel lets most of these be set once only. */
function isSameEnd(link: MadeLink, { vxlan }: LinkState): boolean {
  if (link.type !== "vxlan") return true;
  const { vni, port, local } = link.vxlan;
  return vxlan?.vni === vni && vxlan.port === port && vxlan.local === local && !vxlan.isLearning;
}

function differing<K extends string, V>(key: K, wanted: V | undefined, actual: V): Partial<Record<K, V>> {
  return wanted === undefined || wanted === actual ? {} : ({ [key]: wanted } as Record<K, V>);
}

function addressKey({ link, address, prefix }: Omit<PlannedAddress, "cause">): string {
  return `${link} ${address}/${prefix}`;
}

function neighbourKey({ link, address }: Omit<PlannedNeighbour, "cause">): string {
  return `${link} ${address}`;
}

function forwardingKey({ link, mac }: Omit<PlannedForwarding, "cause">): string {
  return `${link} ${mac}`;
}

function routeKey({ table, destination }: { readonly table?: number; readonly destination: Cidr }): string {
  return `${table ?? "main"} ${destination}`;
}

function routeText(route: Omit<PlannedRoute, "cause">): string {
  const { gateway = "-", link = "-", source = "-", isOnlink = false, isProhibited = false } = route;
  return `${routeKey(route)} ${gateway} ${link} ${source} ${isOnlink} ${isProhibited}`;
}

function ruleText({ family, priority, inLink, table }: Omit<PlannedRule, "cause">): string {
  return `${family} ${priority} ${inLink} ${table}`;
}

function removals(plan: NetworkPlan, state: NetworkState): readonly NetworkOperation[] {
  const addresses = new Set(plan.addresses.map(addressKey));
  const neighbours = new Set(plan.neighbours.map(neighbourKey));
  const forwardings = new Set(plan.forwardings.map(forwardingKey));
  const ownEnds = new Set(plan.links.filter(({ type }) => type === "vxlan").map(({ name }) => name));
  const routes = new Set(plan.routes.map(routeKey));
  const rules = new Set(plan.rules.map(ruleText));
  return [
    ...state.rules
      .filter((rule) => rule.isOurs && !rules.has(ruleText(rule)))
      .map((rule) => ({ type: "delete-rule", rule }) as const),
    ...state.routes
      .filter((route) => route.isOurs && !routes.has(routeKey(route)))
      .map((route) => ({ type: "delete-route", route }) as const),
    ...state.neighbours
      .filter((neighbour) => neighbour.isOurs && !neighbours.has(neighbourKey(neighbour)))
      .map((neighbour) => ({ type: "delete-neighbour", neighbour }) as const),
    ...state.forwardings
      .filter((forwarding) => ownEnds.has(forwarding.link) && !forwardings.has(forwardingKey(forwarding)))
      .map((forwarding) => ({ type: "delete-forwarding", forwarding }) as const),
    ...state.addresses
      .filter((address) => address.isOurs && !addresses.has(addressKey(address)))
      .map((address) => ({ type: "delete-address", address }) as const),
  ];
}

function addedAddresses(
  plan: NetworkPlan,
  state: NetworkState,
  isPresent: (link: string) => boolean,
): readonly NetworkOperation[] {
  const present = new Set(state.addresses.map(addressKey));
  return plan.addresses
    .filter((address) => isPresent(address.link) && !present.has(addressKey(address)))
    .map((address) => ({ type: "add-address", address }));
}

function addedNeighbours(
  plan: NetworkPlan,
  state: NetworkState,
  isPresent: (link: string) => boolean,
): readonly NetworkOperation[] {
  const present = new Map(state.neighbours.map((neighbour) => [neighbourKey(neighbour), neighbour.mac]));
  return plan.neighbours
    .filter((neighbour) => isPresent(neighbour.link) && present.get(neighbourKey(neighbour)) !== neighbour.mac)
    .map((neighbour) => ({ type: "set-neighbour", neighbour }));
}

function addedForwardings(plan: NetworkPlan, state: NetworkState): readonly NetworkOperation[] {
  const present = new Map(state.forwardings.map((forwarding) => [forwardingKey(forwarding), forwarding.remote]));
  return plan.forwardings
    .filter((forwarding) => present.get(forwardingKey(forwarding)) !== forwarding.remote)
    .map((forwarding) => ({ type: "set-forwarding", forwarding }));
}

function addedRoutes(
  plan: NetworkPlan,
  state: NetworkState,
  isPresent: (link: string) => boolean,
): readonly NetworkOperation[] {
  const present = new Set(state.routes.map(routeText));
  return plan.routes
    .filter((route) => (route.link === undefined || isPresent(route.link)) && !present.has(routeText(route)))
    .map((route) => ({ type: "set-route", route }));
}

function addedRules(plan: NetworkPlan, state: NetworkState): readonly NetworkOperation[] {
  const present = new Set(state.rules.map(ruleText));
  return plan.rules.filter((rule) => !present.has(ruleText(rule))).map((rule) => ({ type: "add-rule", rule }));
}

function diffSysctls(
  plan: NetworkPlan,
  state: NetworkState,
): readonly (NetworkOperation & { readonly type: "set-sysctl" })[] {
  const links = new Set(state.links.map(({ name }) => name));
  // With its link there, a setting that cannot be read is one that this kernel does not have.
  const isMissing = ({ key, link, isOptional }: PlannedSysctl): boolean =>
    isOptional === true && !state.sysctls.has(key) && (link === undefined || links.has(link));
  return plan.sysctls
    .filter((sysctl) => state.sysctls.get(sysctl.key) !== sysctl.value && !isMissing(sysctl))
    .map((sysctl) => ({ type: "set-sysctl", sysctl }));
}

/** For logs and checks: `set-route 10.244.2.0/24`. */
export function operationText(operation: NetworkOperation): string {
  switch (operation.type) {
    case "create-link":
      return `${operation.type} ${operation.link.name}`;
    case "change-link":
      return `${operation.type} ${operation.name} ${Object.keys(operation.change).join(",")}`;
    case "delete-link":
      return `${operation.type} ${operation.name}`;
    case "add-address":
    case "delete-address":
      return `${operation.type} ${operation.address.address}/${operation.address.prefix} on ${operation.address.link}`;
    case "set-neighbour":
    case "delete-neighbour":
      return `${operation.type} ${operation.neighbour.address} on ${operation.neighbour.link}`;
    case "set-forwarding":
    case "delete-forwarding":
      return `${operation.type} ${operation.forwarding.mac} to ${operation.forwarding.remote} on ${operation.forwarding.link}`;
    case "set-route":
    case "delete-route":
      return `${operation.type} ${operation.route.destination}`;
    case "add-rule":
    case "delete-rule":
      return `${operation.type} ${operation.rule.priority}`;
    case "set-sysctl":
      return `${operation.type} ${operation.sysctl.key}=${operation.sysctl.value}`;
  }
}
