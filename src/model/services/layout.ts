/**
 * The chains and sets of the table `netloom`: the same for any number of services. Only the chains per endpoint count
 * and per affinity time-out depend on what is there. See README.md for the path a packet takes through them.
 *
 * Marks. ct mark: bits 0-22 the service-port id, bit 23 "local endpoints only", bits 24-30 belong to network policy.
 * meta mark: scratch within the nat chains (slot, endpoint id), cleared in the filter hooks.
 */
import type { Chain, FieldType, Rule, SetDeclaration, Skeleton, Statement } from "../rules/index.ts";
import type { FamilyNetwork } from "./node-network.ts";

export const tableName = "netloom";
/** In ct mark, over the id: use the endpoints of this node only. */
export const localBit = 0x0080_0000;
/** Connections per service port, counted by the packets' own doing. */
export const hitsSet = "hits";
/** Id and local bit. */
const serviceMask = 0x00ff_ffff;
/** Counts whose chains always exist, so that usual changes touch elements only. */
export const preparedCounts = 16;

/** What decides the chains beyond the fixed ones. */
export interface ChainsInUse {
  readonly counts: ReadonlySet<number>;
  /** Counts of services with client affinity. */
  readonly affinityCounts: ReadonlySet<number>;
  readonly affinitySeconds: ReadonlySet<number>;
}

const frontendKey: readonly FieldType[] = ["address", "protocol", "port"];
const nodePortKey: readonly FieldType[] = ["protocol", "port"];
const backend: readonly FieldType[] = ["address", "port"];

function setsOf(family: "ip" | "ip6"): ReadonlyMap<string, SetDeclaration> {
  const declarations: readonly SetDeclaration[] = [
    { name: "frontends", key: frontendKey, data: ["mark"] },
    { name: "policies", key: frontendKey, data: "verdict" },
    { name: "nodeports", key: nodePortKey, data: ["mark"] },
    { name: "nodeport-policies", key: nodePortKey, data: "verdict" },
    { name: "hostports", key: frontendKey, data: backend },
    { name: "hostports-any", key: nodePortKey, data: backend },
    { name: "source-ranges", key: ["mark", "address"], flags: ["interval"] },
    { name: "counts", key: ["mark"], data: "verdict" },
    { name: "slots", key: ["mark", "mark"], data: backend },
    { name: "affinity-counts", key: ["mark"], data: "verdict" },
    { name: "affinity-slots", key: ["mark", "mark"], data: ["mark"] },
    { name: "affinity-endpoints", key: ["mark"], data: backend },
    {
      name: "affinity",
      // nft aborts on the update of a map whose key exceeds 16 bytes, so IPv6 keeps the low 96 bits of the client.
      key: [family === "ip" ? "address" : "source-low-96", "mark"],
      data: ["mark"],
      flags: ["dynamic", "timeout"],
      timeoutSeconds: 10_800,
      size: 262_144,
    },
    { name: hitsSet, key: ["mark"], flags: ["dynamic"], size: 262_144 },
    { name: "service-ips", key: ["address"] },
    { name: "hairpin", key: ["address", "address"] },
  ];
  return new Map(declarations.map((declaration) => [declaration.name, declaration]));
}

const setsOfFamilies = { ip: setsOf("ip"), ip6: setsOf("ip6") } as const;
const preparedChains = Array.from({ length: preparedCounts }, (_, index) => index + 1);

/** Chains come in an order in which each is defined before a rule names it. */
export function planSkeleton(network: FamilyNetwork, inUse: ChainsInUse): Skeleton {
  const chains: readonly Chain[] = [
    chain("to-slot", [rule({ kind: "dnat", key: ["ct mark", "mark"], map: "slots" })]),
    ...sorted(new Set([...preparedChains, ...inUse.counts])).map(countChain),
    ...sorted(inUse.affinityCounts).map(affinityCountChain),
    ...sorted(inUse.affinitySeconds).map((seconds) => affinityChain(seconds, network)),
    ...serviceChains(network),
    ...baseChains(network),
  ];
  return {
    family: network.family,
    table: tableName,
    sets: setsOfFamilies[network.family],
    chains: new Map(chains.map((one) => [one.name, one])),
  };
}

function sorted(numbers: Iterable<number>): readonly number[] {
  return [...numbers].toSorted((one, other) => one - other);
}

function countChain(count: number): Chain {
  return chain(`n${count}`, [
    rule({ kind: "assign", target: "mark", to: { randomBelow: count } }),
    rule(goTo("to-slot")),
  ]);
}

function affinityCountChain(count: number): Chain {
  return chain(`p${count}`, [
    rule({ kind: "assign", target: "mark", to: { randomBelow: count } }),
    rule({ kind: "assign", target: "mark", to: { key: ["ct mark", "mark"], map: "affinity-slots" } }),
  ]);
}

function affinityChain(timeoutSeconds: number, { family }: FamilyNetwork): Chain {
  const key = [family === "ip" ? "saddr" : "saddr-low-96", "ct mark"] as const;
  const remember: readonly Statement[] = [
    { kind: "dynamic", operation: "update", set: "affinity", key, data: "mark", timeoutSeconds },
    { kind: "dnat", key: ["mark"], map: "affinity-endpoints" },
  ];
  const isKnown: Statement = { kind: "compare", field: "mark", operator: "!=", value: 0 };
  return chain(`aff${timeoutSeconds}`, [
    rule({ kind: "assign", target: "mark", to: { constant: 0 } }),
    rule({ kind: "assign", target: "mark", to: { key, map: "affinity" } }),
    // A known client: ends here unless its endpoint left. `update` keeps old data, hence the delete before choosing anew.
    rule(isKnown, ...remember),
    rule(isKnown, { kind: "dynamic", operation: "delete", set: "affinity", key, data: "mark" }),
    rule({ kind: "verdict-map", key: ["ct mark"], map: "affinity-counts" }),
    rule(...remember),
  ]);
}

function serviceChains({ family, podCidr }: FamilyNetwork): readonly Chain[] {
  const toLoopback = (operator: "==" | "!="): Statement => ({
    kind: "compare",
    field: "daddr",
    operator,
    value: family === "ip" ? loopback : "::1",
  });
  const isOfNoService: Statement = { kind: "compare", field: "ct mark", operator: "==", value: 0 };
  const isNode = (field: "fib saddr type" | "fib daddr type"): Statement => compare(field, "local");
  const inRanges: Statement = { kind: "in-set", key: ["ct mark", "saddr"], set: "source-ranges", isNegated: true };
  const frontend = ["daddr", "l4proto", "dport"] as const;
  const nodePort = ["l4proto", "dport"] as const;
  const hasService: Statement = { kind: "compare", field: "ct mark", operator: "!=", value: 0 };
  return [
    chain("cluster", [rule({ kind: "verdict-map", key: ["ct mark"], map: "counts" })]),
    chain("local", [
      rule({ kind: "assign", target: "ct mark", to: { orWith: localBit } }),
      rule({ kind: "verdict-map", key: ["ct mark"], map: "counts" }),
    ]),
    chain("ext-local", [
      ...(podCidr === undefined ? [] : [rule(compare("saddr", podCidr), goTo("cluster"))]),
      rule(isNode("fib saddr type"), goTo("cluster")),
      rule(goTo("local")),
    ]),
    chain("fw-cluster", [rule(inRanges, drop), rule(goTo("cluster"))]),
    chain("fw-ext-local", [rule(inRanges, drop), rule(goTo("ext-local"))]),
    chain("node-ports", [
      rule({ kind: "assign", target: "ct mark", to: { key: nodePort, map: "nodeports" } }),
      rule(hasService, countHits),
      rule({ kind: "verdict-map", key: nodePort, map: "nodeport-policies" }),
      rule(hasService, goTo("cluster")),
      rule(goTo("host-ports")),
    ]),
    chain("host-ports", [
      rule({ kind: "dnat", key: frontend, map: "hostports" }),
      rule({ kind: "dnat", key: nodePort, map: "hostports-any" }),
    ]),
    chain("services", [
      rule({ kind: "assign", target: "ct mark", to: { key: frontend, map: "frontends" } }),
      rule(hasService, countHits),
      rule({ kind: "verdict-map", key: frontend, map: "policies" }),
      rule({ kind: "verdict-map", key: ["ct mark"], map: "counts" }),
      // A frontend without endpoints must not become a node port where its address is also the node's.
      rule(isOfNoService, isNode("fib daddr type"), toLoopback("!="), goTo("node-ports")),
      // The node's own loopback has no node ports, as upstream's; IPv6 could not answer from there at all.
      ...(family === "ip" ? [rule(isOfNoService, toLoopback("=="), goTo("host-ports"))] : []),
    ]),
  ];
}

const drop: Statement = { kind: "verdict", verdict: { kind: "drop" } };
const countHits: Statement = { kind: "dynamic", operation: "update", set: hitsSet, key: ["ct mark"], hasCounter: true };

function baseChains(network: FamilyNetwork): readonly Chain[] {
  const { family, podCidr, clusterCidrs, serviceCidrs, podInterfacePrefix } = network;
  // With several IPv6 addresses masquerade takes the one added last, hence the fixed address there.
  const hideSource: Statement = family === "ip" ? { kind: "masquerade" } : { kind: "snat", address: network.address };
  const overlay = family === "ip6" ? network.overlay : undefined;
  const isTranslated = compare("ct status", "dnat");
  const isNew = compare("ct state", "new");
  const fromOtherThanPods: readonly Statement[] =
    podCidr === undefined ? [] : [{ kind: "compare", field: "saddr", operator: "!=", value: podCidr }];
  const throughThisNode: readonly Statement[] = [
    isTranslated,
    { kind: "compare", field: "ct mark", operator: "!=", value: 0, mask: serviceMask },
    { kind: "compare", field: "ct mark", operator: "==", value: 0, mask: localBit },
    ...fromOtherThanPods,
  ];
  const untranslated = rule(isNew, goTo("not-translated"));
  return [
    chain("refuse", [
      // Not an ICMP error: the kernel limits those per destination, and refusals become time-outs.
      rule({ kind: "reject", with: "tcp reset" }),
      rule({ kind: "reject", with: "icmp port-unreachable" }),
    ]),
    chain("not-translated", [
      rule(
        isTranslated,
        { kind: "assign", target: "mark", to: { constant: 0 } },
        { kind: "verdict", verdict: { kind: "return" } },
      ),
      {
        statements: [
          { kind: "compare", field: "ct mark", operator: "!=", value: 0, mask: serviceMask },
          goTo("refuse"),
        ],
        comment: "service without endpoints",
      },
      {
        statements: [{ kind: "in-set", key: ["daddr"], set: "service-ips" }, goTo("refuse")],
        comment: "no such port of the service",
      },
      ...serviceCidrs.map((cidr) => ({ statements: [compare("daddr", cidr), drop], comment: "no such service" })),
    ]),
    base("nat-prerouting", { type: "nat", hook: "prerouting", priority: -100 }, [rule(goTo("services"))]),
    base("nat-output", { type: "nat", hook: "output", priority: -100 }, [rule(goTo("services"))]),
    base("nat-postrouting", { type: "nat", hook: "postrouting", priority: 100 }, [
      {
        statements: [isTranslated, { kind: "in-set", key: ["saddr", "daddr"], set: "hairpin" }, hideSource],
        comment: "a pod that reaches itself through a service",
      },
      ...(overlay === undefined
        ? []
        : [
            {
              statements: [
                ...throughThisNode,
                compare("daddr", overlay.podCidr),
                { kind: "snat", address: overlay.address } as const,
              ],
              comment: "replies must come back through this node, and the way they went",
            },
          ]),
      { statements: [...throughThisNode, hideSource], comment: "replies must come back through this node" },
      ...(family === "ip"
        ? [
            {
              statements: [isTranslated, compare("saddr", loopback), hideSource],
              comment: "a pod could not answer to the node's loopback",
            },
          ]
        : []),
      ...(podCidr === undefined || clusterCidrs.length === 0
        ? []
        : [
            {
              statements: [
                compare("saddr", podCidr),
                { kind: "one-of", field: "daddr", values: clusterCidrs, isNegated: true } as const,
                hideSource,
              ],
              comment: "pods leave the cluster under the address of their node",
            },
          ]),
    ]),
    base("filter-forward", { type: "filter", hook: "forward", priority: 0 }, [
      untranslated,
      // Packets outside of the window are not translated back and would reset the client.
      rule(compare("ct state", "invalid"), drop),
    ]),
    base("filter-input", { type: "filter", hook: "input", priority: 0 }, [untranslated]),
    base("filter-output", { type: "filter", hook: "output", priority: 0 }, [untranslated]),
    base("guard", { type: "filter", hook: "prerouting", priority: -300 }, [
      ...(family === "ip6" ? [rule(compare("saddr", "fe80::/10"), accept), rule(compare("saddr", "::"), accept)] : []),
      {
        statements: [compare("iifname", `${podInterfacePrefix}*`), compare("fib saddr iif", 0), drop],
        comment: "spoofed source",
      },
      // The node routes its loopback to pods, for host ports; nobody else reaches what listens there.
      ...(family === "ip"
        ? [
            {
              statements: [
                { kind: "compare", field: "iifname", operator: "!=", value: "lo" } as const,
                compare("daddr", loopback),
                drop,
              ],
              comment: "the loopback is the node's own",
            },
          ]
        : []),
    ]),
  ];
}

const loopback = "127.0.0.0/8";
const accept: Statement = { kind: "verdict", verdict: { kind: "accept" } };

function chain(name: string, rules: readonly Rule[]): Chain {
  return { name, rules };
}

function base(name: string, hook: NonNullable<Chain["base"]>, rules: readonly Rule[]): Chain {
  return { name, base: hook, rules };
}

function rule(...statements: readonly Statement[]): Rule {
  return { statements };
}

function goTo(name: string): Statement {
  return { kind: "verdict", verdict: { kind: "goto", chain: name } };
}

function compare(field: Extract<Statement, { kind: "compare" }>["field"], value: string | number): Statement {
  return { kind: "compare", field, operator: "==", value };
}
