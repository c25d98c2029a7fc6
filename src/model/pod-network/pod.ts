/** A pod's pair of links: `v…` in the node, `eth0` in the pod, and what is routed over it. */
import { createHash } from "node:crypto";
import { cidrOf, familyBits, ipFamily, type IpAddress, parseCidr } from "../../lib/ip/index.ts";
import { emptyPlan, type NetworkPlan, type PlannedSysctl } from "../network-state/index.ts";
import type { Provenance } from "../provenance.ts";
import { podGateways } from "./node.ts";

interface PodNetwork {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** At most one per family. */
  readonly addresses: readonly IpAddress[];
  readonly netnsPath: string;
  readonly mtuBytes: number;
}

const podLink = "eth0";
/** One for all, so that a pod knows its gateway's. */
const hostMac = "ee:ee:ee:ee:ee:ee";
const everything = { IPv4: parseCidr("0.0.0.0/0"), IPv6: parseCidr("::/0") } as const;

/** Stable, and of a form that no other link has: see `isPodLinkName`. */
export function podLinkName(uid: string): string {
  return `v${createHash("sha256").update(uid).digest("hex").slice(0, 10)}`;
}

export function isPodLinkName(name: string): boolean {
  return /^v[0-9a-f]{10}$/.test(name);
}

/** `node` is for the node's namespace and makes both ends, `pod` for the pod's. */
export function planPodNetwork(pod: PodNetwork): { readonly node: NetworkPlan; readonly pod: NetworkPlan } {
  const cause: Provenance = { kind: "Pod", namespace: pod.namespace, name: pod.name };
  return { node: planNodeSide(pod, cause), pod: planPodSide(pod, cause) };
}

function planNodeSide(pod: PodNetwork, cause: Provenance): NetworkPlan {
  const link = podLinkName(pod.uid);
  const { mtuBytes, netnsPath } = pod;
  const hasIpv6 = pod.addresses.some((address) => ipFamily(address) === "IPv6");
  const peer = { name: podLink, netnsPath };
  return {
    ...emptyPlan,
    links: [{ type: "veth", name: link, mac: hostMac, mtuBytes, peer, cause }],
    // No IPv4 address: masquerading would choose it as source.
    addresses: hasIpv6 ? [{ link, address: podGateways.IPv6, prefix: 64, cause }] : [],
    routes: pod.addresses.map((address) => ({ destination: hostCidr(address), link, cause })),
    sysctls: [
      { key: `net/ipv4/conf/${link}/proxy_arp`, value: "1", link, cause },
      ...(hasIpv6
        ? []
        : [{ key: `net/ipv6/conf/${link}/disable_ipv6`, value: "1", link, isOptional: true, cause } as const]),
    ],
  };
}

function planPodSide(pod: PodNetwork, cause: Provenance): NetworkPlan {
  return {
    ...emptyPlan,
    links: [
      { type: "loopback", name: "lo", cause },
      { type: "given", name: podLink, mtuBytes: pod.mtuBytes, cause },
    ],
    addresses: pod.addresses.map((address) => ({
      link: podLink,
      address,
      prefix: familyBits[ipFamily(address)],
      cause,
    })),
    // Known from the start. Asking would work too, but proxy_arp answers after up to 0.8 s (proxy_delay, which cannot be
    // changed in a user namespace), and only while the node has a default route.
    neighbours: pod.addresses.map((address) => ({
      link: podLink,
      address: podGateways[ipFamily(address)],
      mac: hostMac,
      cause,
    })),
    routes: pod.addresses.flatMap((address) => {
      const family = ipFamily(address);
      const gateway = podGateways[family];
      const route = { destination: everything[family], gateway, link: podLink, cause };
      // fe80::1 is on every link anyway.
      if (family === "IPv6") return [route];
      return [
        { destination: hostCidr(gateway), link: podLink, cause },
        { ...route, isOnlink: true },
      ];
    }),
    sysctls: podSysctls(cause),
  };
}

/** What else a pod's network is set to is its own to say (`securityContext.sysctls`), and the container's bundle has it. */
function podSysctls(cause: Provenance): readonly PlannedSysctl[] {
  return [
    // The address is ours by allocation: nobody else can have it.
    { key: `net/ipv6/conf/${podLink}/accept_dad`, value: "0", link: podLink, isOptional: true, cause },
  ];
}

function hostCidr(address: IpAddress) {
  return cidrOf(address, familyBits[ipFamily(address)]);
}
