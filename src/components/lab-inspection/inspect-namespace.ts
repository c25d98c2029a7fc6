/** Reads what the kernel holds in one network namespace; changes nothing. */
import { basename } from "node:path";
import { openConntrack } from "../../kernel/conntrack/index.ts";
import { openNetworkNamespace } from "../../kernel/netns/index.ts";
import { openNft } from "../../kernel/nftables/index.ts";
import { type Link, Rtnetlink } from "../../kernel/rtnetlink/index.ts";

export interface NamespaceReport {
  /** "node-1", "lan", "pod-<uid>". */
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
  readonly rules: number;
  /** Of all sets and maps. */
  readonly elements: number;
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
      const ruleSet = nft.run("list ruleset");
      return {
        name: basename(path),
        links,
        addresses: netlink.addresses(),
        routes: netlink.routes(),
        routingRules: netlink.rules(),
        neighbours: netlink.neighbours(),
        forwardings: links.filter(({ kind }) => kind === "vxlan").flatMap((link) => netlink.forwardings(link)),
        ruleSet,
        ...countRules(ruleSet),
        connections: connections.list().length,
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

/** Counts in nft's listing, whose form is one rule per line in a chain, and `elements = { a, b }` in a set. */
export function countRules(ruleSet: string): { readonly rules: number; readonly elements: number } {
  let rules = 0;
  let elements = 0;
  let block: "table" | "chain" | "set" | undefined;
  let isInElements = false;
  for (const line of ruleSet.split("\n").map((text) => text.trim())) {
    if (isInElements) {
      elements += countElements(line);
      isInElements = !line.endsWith("}");
    } else if (/^(table|chain|set|map) .*\{$/.test(line)) {
      block = line.startsWith("table") ? "table" : line.startsWith("chain") ? "chain" : "set";
    } else if (line === "}") block = "table";
    else if (block === "set" && line.startsWith("elements = {")) {
      elements += countElements(line.slice("elements = {".length));
      isInElements = !line.endsWith("}");
    } else if (block === "chain" && line !== "" && !/^(type \w+ hook|policy|comment|#)/.test(line)) rules += 1;
  }
  return { rules, elements };
}

/** Elements are parted by commas; a comment in quotes may hold some too. */
function countElements(line: string): number {
  const bare = line.replaceAll(/"[^"]*"/g, "").replace(/}\s*$/, "");
  return bare.split(",").filter((part) => part.trim() !== "").length;
}
