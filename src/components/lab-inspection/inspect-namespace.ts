/** Reads what the kernel holds in one network namespace; changes nothing. */
import { basename } from "node:path";
import { openConntrack } from "../../kernel/conntrack/index.ts";
import { openNetworkNamespace } from "../../kernel/netns/index.ts";
import { countRuleSet, openNft } from "../../kernel/nftables/index.ts";
import { type Link, Rtnetlink } from "../../kernel/rtnetlink/index.ts";

export interface NamespaceCounts {
  /** "node-1", "lan", "pod-<uid>". */
  readonly name: string;
  readonly rules: number;
  /** Of all sets and maps. */
  readonly elements: number;
  readonly routes: number;
  readonly links: number;
  readonly connections: number;
}

export interface NamespaceReport {
  readonly name: string;
  readonly links: readonly Link[];
  readonly addresses: ReturnType<Rtnetlink["addresses"]>;
  readonly routes: ReturnType<Rtnetlink["routes"]>;
  readonly routingRules: ReturnType<Rtnetlink["rules"]>;
  readonly neighbours: ReturnType<Rtnetlink["neighbours"]>;
  /** Of VXLAN links. */
  readonly forwardings: ReturnType<Rtnetlink["forwardings"]>;
  /** The rule set in nft's own language; "" where there is none. */
  readonly ruleSet: string;
  readonly connections: number;
}

/** Throws where the namespace is gone. */
export function inspectNamespace(path: string, options: { readonly toolsDir: string }): NamespaceReport {
  const namespace = openNetworkNamespace(path);
  try {
    const netlink = new Rtnetlink(namespace);
    const nft = openNft({ namespace, toolsDir: options.toolsDir });
    const connections = openConntrack({ namespace });
    try {
      const links = netlink.links();
      return {
        name: basename(path),
        links,
        addresses: netlink.addresses(),
        routes: netlink.routes(),
        routingRules: netlink.rules(),
        neighbours: netlink.neighbours(),
        forwardings: links.filter(({ kind }) => kind === "vxlan").flatMap((link) => netlink.forwardings(link)),
        ruleSet: nft.run("list ruleset"),
        connections: connections.count(),
      };
    } finally {
      netlink.close();
      nft.close();
      connections.close();
    }
  } finally {
    namespace.close();
  }
}

/** What of it is a number: a fraction of the work. Throws where the namespace is gone. */
export function countNamespace(path: string): NamespaceCounts {
  const namespace = openNetworkNamespace(path);
  try {
    const netlink = new Rtnetlink(namespace);
    const connections = openConntrack({ namespace });
    try {
      return {
        name: basename(path),
        ...countRuleSet(namespace),
        routes: netlink.routes().length,
        links: netlink.links().length,
        connections: connections.count(),
      };
    } finally {
      netlink.close();
      connections.close();
    }
  } finally {
    namespace.close();
  }
}
