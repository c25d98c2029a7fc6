/** Everything a user can decide about a cluster, once: the command line's flags and the file's fields are read off it. */
import { logLevels, networkKinds } from "../cluster-config.ts";
import { clusterDefaults, mostPods } from "./plan-cluster.ts";
import { mostNodes } from "./plan-nodes.ts";
import { defaultRanges, familiesByName } from "./plan-ranges.ts";

export type SettingType = "number" | "text" | "list" | "duration" | "boolean";

/** Durations in milliseconds, lists joined by commas. */
export type SettingValue = string | number | boolean;
export type SettingValues = Readonly<Record<string, SettingValue>>;

export interface ClusterSetting {
  /** The field below `spec` in the file, and the option's key. */
  readonly key: string;
  /** The value's name in help. */
  readonly value: string;
  readonly type: SettingType;
  readonly help: string;
  /** What it takes, for a person: "a whole number from 1 to 200". */
  readonly offer: string;
  /** Where it is one of a few words. */
  readonly choices?: readonly string[];
  /** What help says holds where the user says nothing. */
  readonly fallback?: string | number;
}

const setting = (key: string, type: SettingType, rest: Omit<ClusterSetting, "key" | "type">): ClusterSetting => ({
  key,
  type,
  ...rest,
});

const rangeOffer = (key: keyof typeof defaultRanges): string =>
  `a range such as "${defaultRanges[key].IPv4}" or "${defaultRanges[key].IPv6}", or both with a comma`;

/** '"host-gw" or "vxlan"'. */
const anyOf = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(" or ");

/** In the order in which help lists them. `name` is not among them: in the file it is `metadata.name`. */
export const clusterSettings: readonly ClusterSetting[] = [
  setting("nodes", "number", {
    value: "n",
    help: "how many nodes",
    offer: `a whole number from 1 to ${mostNodes}`,
    fallback: clusterDefaults.nodes,
  }),
  setting("wait", "duration", {
    value: "duration",
    help: "how long to wait for nodes and DNS; 0 does not wait",
    offer: 'a duration such as "30s" or "1m30s", or 0',
    fallback: "60s",
  }),
  setting("podCidr", "text", {
    value: "range",
    help: "addresses of the pods, a /24 or /64 per node",
    offer: rangeOffer("podCidr"),
    fallback: `${defaultRanges.podCidr.IPv4},${defaultRanges.podCidr.IPv6}`,
  }),
  setting("serviceCidr", "text", {
    value: "range",
    help: "addresses of the Services",
    offer: rangeOffer("serviceCidr"),
    fallback: `${defaultRanges.serviceCidr.IPv4},${defaultRanges.serviceCidr.IPv6}`,
  }),
  setting("nodeCidr", "text", {
    value: "range",
    help: "addresses of the nodes",
    offer: rangeOffer("nodeCidr"),
    fallback: `${defaultRanges.nodeCidr.IPv4},${defaultRanges.nodeCidr.IPv6}`,
  }),
  setting("outsideCidr", "text", {
    value: "range",
    help: "addresses of the client beyond the cluster",
    offer: rangeOffer("outsideCidr"),
    fallback: `${defaultRanges.outsideCidr.IPv4},${defaultRanges.outsideCidr.IPv6}`,
  }),
  setting("clusterDomain", "text", {
    value: "name",
    help: "the DNS name under which Services live",
    offer: 'a DNS name in lower case, such as "cluster.local"',
    fallback: clusterDefaults.clusterDomain,
  }),
  setting("nodePortRange", "text", {
    value: "first-last",
    help: "ports of NodePort Services",
    offer: 'ports from 1024 to 65535, such as "30000-32767"',
    fallback: clusterDefaults.nodePortRange,
  }),
  setting("maxPods", "number", {
    value: "n",
    help: "how many pods a node takes",
    offer: `a whole number from 1 to ${mostPods}`,
    fallback: clusterDefaults.maxPods,
  }),
  setting("network", "text", {
    value: "kind",
    help: "how pods of different nodes reach each other",
    choices: networkKinds,
    offer: anyOf(networkKinds),
    fallback: clusterDefaults.network,
  }),
  setting("ipFamily", "text", {
    value: "family",
    help: "the addresses' families; of dual ranges, IPV4,IPV6, the first is the primary one",
    offer: anyOf(Object.keys(familiesByName)),
    choices: Object.keys(familiesByName),
    fallback: clusterDefaults.ipFamily,
  }),
  setting("images", "list", {
    value: "sources",
    help: "where images come from",
    offer: 'a list of sources; there is one, "catalog"',
    fallback: clusterDefaults.images,
  }),
  setting("apiPort", "number", {
    value: "port",
    help: "the API's port on 127.0.0.1; the first free one from 6443 where absent",
    offer: "a port from 1 to 65535",
  }),
  setting("agents", "number", {
    value: "n",
    help: "how many processes share the nodes",
    offer: `a whole number from 1 to ${mostNodes}`,
    fallback: 1,
  }),
  setting("auditLog", "boolean", {
    value: "",
    help: "write every request to the API down (netloom logs audit)",
    offer: "true or false",
  }),
  setting("logLevel", "text", {
    value: "level",
    help: "how much netloom's own processes write (netloom logs)",
    choices: logLevels,
    offer: anyOf(logLevels),
    fallback: clusterDefaults.logLevel,
  }),
  setting("kubeconfig", "text", {
    value: "file",
    help: "the kubeconfig to merge the context into",
    offer: "the name of a file",
  }),
];

/** "podCidr" -> "--pod-cidr". */
export const flagOf = (key: string): string => `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
