/** Which addresses nodes, pods, Services and the outside have, per family: the ranges given, the default of what is not. */
import {
  type Cidr,
  cidrPrefix,
  cidrsOverlap,
  IpParseError,
  ipFamily,
  type IpFamily,
  parseCidr,
} from "../../lib/ip/index.ts";
import type { PerFamily } from "../cluster-config.ts";

/** What can be asked for with --ip-family; the order is the default one: the first is the primary family. */
const bothFamilies: PerFamily<IpFamily> = ["IPv4", "IPv6"];
export const familiesByName: Readonly<Record<string, PerFamily<IpFamily>>> = {
  ipv4: ["IPv4"],
  ipv6: ["IPv6"],
  dual: bothFamilies,
};

export const defaultRanges = {
  podCidr: { IPv4: "10.244.0.0/16", IPv6: "fd00:10:244::/56" },
  serviceCidr: { IPv4: "10.96.0.0/12", IPv6: "fd00:10:96::/112" },
  nodeCidr: { IPv4: "192.168.60.0/24", IPv6: "fd00:192:168:60::/64" },
  outsideCidr: { IPv4: "192.168.61.0/24", IPv6: "fd00:192:168:61::/64" },
} as const;

type RangeKey = keyof typeof defaultRanges;

/** The prefix of a node's part of the pod network: upstream's defaults. */
export const podPrefixes: Readonly<Record<IpFamily, number>> = { IPv4: 24, IPv6: 64 };

/** Shortest and longest prefix. Upstream's Service ranges have at most 2^20 IPv6 addresses, pod ranges at most 2^16 nodes. */
const prefixLimits: Readonly<Record<RangeKey, Readonly<Record<IpFamily, readonly [number, number]>>>> = {
  podCidr: { IPv4: [8, podPrefixes.IPv4], IPv6: [48, podPrefixes.IPv6] },
  serviceCidr: { IPv4: [8, 28], IPv6: [108, 124] },
  nodeCidr: { IPv4: [8, 24], IPv6: [16, 112] },
  outsideCidr: { IPv4: [8, 30], IPv6: [16, 126] },
};

const flags: Readonly<Record<RangeKey, string>> = {
  nodeCidr: "--node-cidr",
  outsideCidr: "--outside-cidr",
  podCidr: "--pod-cidr",
  serviceCidr: "--service-cidr",
};

/** What no range may hold, as it has its own meaning on every machine. */
const reserved = [
  { cidr: parseCidr("127.0.0.0/8"), what: "the loopback network" },
  { cidr: parseCidr("169.254.0.0/16"), what: "the link-local network" },
  { cidr: parseCidr("::/127"), what: "the loopback address" },
  { cidr: parseCidr("fe80::/10"), what: "the link-local network" },
  { cidr: parseCidr("ff00::/8"), what: "the multicast addresses" },
] as const;

export type RangeOptions = Readonly<Partial<Record<RangeKey | "ipFamily", string | undefined>>>;

/** All in the same order, the primary family first. */
export type ClusterRanges = Readonly<Record<RangeKey, PerFamily<Cidr>>>;

/** Undefined where there are mistakes, which are added to `mistakes`. `nodes`: how many need a part of the pod range. */
export function planRanges(options: RangeOptions, nodes: number, mistakes: string[]): ClusterRanges | undefined {
  const before = mistakes.length;
  const name = options.ipFamily ?? "ipv4";
  if (!Object.hasOwn(familiesByName, name)) {
    mistakes.push(`--ip-family "${name}": use one of ${Object.keys(familiesByName).join(", ")}`);
  }
  // So that with a wrong name the ranges are looked at, too.
  const families = familiesByName[name] ?? bothFamilies;
  const given = (Object.keys(flags) as RangeKey[]).map((key) => ({ key, cidrs: parseRanges(key, options, mistakes) }));
  for (const { key, cidrs } of given) checkFamilies(flags[key], cidrs, { name, families, mistakes });
  const order = commonOrder(given, families, mistakes);
  const ranges = Object.fromEntries(
    given.map(({ key, cidrs }) => [
      key,
      order.map((family) => cidrs.find((cidr) => ipFamily(cidr) === family) ?? parseCidr(defaultRanges[key][family])),
    ]),
  ) as unknown as ClusterRanges;
  reportOverlaps(ranges, mistakes);
  for (const cidr of ranges.podCidr) {
    const prefix = podPrefixes[ipFamily(cidr)];
    if (2 ** (prefix - cidrPrefix(cidr)) >= nodes + 1) continue;
    mistakes.push(
      `--pod-cidr "${cidr}": it has no /${prefix} for each of ${nodes} nodes (the first one stays free); use a shorter prefix or fewer --nodes`,
    );
  }
  return mistakes.length === before ? ranges : undefined;
}

/** Those of the list that are ranges of a good size; empty where the option was not given. */
function parseRanges(key: RangeKey, options: RangeOptions, mistakes: string[]): readonly Cidr[] {
  const texts = (options[key] ?? "").split(",").map((text) => text.trim());
  if (options[key] === undefined) return [];
  return texts.flatMap((text) => {
    try {
      const cidr = parseCidr(text);
      const [shortest, longest] = prefixLimits[key][ipFamily(cidr)];
      if (cidrPrefix(cidr) >= shortest && cidrPrefix(cidr) <= longest) return [cidr];
      mistakes.push(`${flags[key]} "${text}": use a prefix from /${shortest} to /${longest}`);
    } catch (error) {
      if (!(error instanceof IpParseError)) throw error;
      mistakes.push(`${flags[key]}: ${error.message}`);
    }
    return [];
  });
}

function checkFamilies(
  flag: string,
  cidrs: readonly Cidr[],
  cluster: { readonly name: string; readonly families: PerFamily<IpFamily>; readonly mistakes: string[] },
): void {
  const { name, families, mistakes } = cluster;
  for (const cidr of cidrs) {
    const family = ipFamily(cidr);
    if (families.includes(family)) continue;
    mistakes.push(
      `${flag} "${cidr}": it is ${family}, and the cluster is "${name}"; use an ${families[0]} range, or add --ip-family dual`,
    );
  }
  for (const family of families) {
    const ofFamily = cidrs.filter((cidr) => ipFamily(cidr) === family);
    if (ofFamily.length > 1) {
      mistakes.push(`${flag} "${ofFamily.join(",")}": these are several ${family} ranges; use one of each family`);
    }
  }
}

/** The order of the options that name both families; they must agree. */
function commonOrder(
  given: readonly { readonly key: RangeKey; readonly cidrs: readonly Cidr[] }[],
  families: PerFamily<IpFamily>,
  mistakes: string[],
): PerFamily<IpFamily> {
  const [other] = families.slice(1);
  if (other === undefined) return families;
  const both = given.filter(({ cidrs }) => new Set(cidrs.map(ipFamily)).size === 2);
  const [first] = both;
  const primary = first?.cidrs[0];
  if (first === undefined || primary === undefined) return families;
  for (const { key, cidrs } of both) {
    if (cidrs[0] === undefined || ipFamily(cidrs[0]) === ipFamily(primary)) continue;
    mistakes.push(
      `${flags[key]} "${cidrs.join(",")}" begins with ${ipFamily(cidrs[0])}, and ${flags[first.key]} "${first.cidrs.join(",")}" with ${ipFamily(primary)}: name the same family first, which becomes the primary one`,
    );
  }
  return ipFamily(primary) === families[0] ? families : [other, families[0]];
}

function reportOverlaps(ranges: ClusterRanges, mistakes: string[]): void {
  const known = (Object.keys(flags) as RangeKey[]).flatMap((key) =>
    ranges[key].map((cidr) => ({ flag: flags[key], cidr })),
  );
  for (const [index, { flag, cidr }] of known.entries()) {
    for (const taken of reserved) {
      if (cidrsOverlap(cidr, taken.cidr)) {
        mistakes.push(`${flag} "${cidr}": it overlaps ${taken.what} ${taken.cidr}`);
      }
    }
    for (const other of known.slice(index + 1)) {
      if (cidrsOverlap(cidr, other.cidr)) {
        mistakes.push(
          `${flag} "${cidr}" overlaps ${other.flag} "${other.cidr}": nodes, pods, Services and the outside need ranges of their own`,
        );
      }
    }
  }
}
