/** Everything a user can decide about a cluster, once: the command line's flags and the file's fields are read off it. */
import { clusterDefaults } from "./plan-cluster.ts";
import { defaultRanges } from "./plan-ranges.ts";

export type SettingType = "number" | "text" | "list" | "duration" | "boolean";

export interface ClusterSetting {
  /** The field below `spec` in the file, and the option's key. */
  readonly key: string;
  /** The value's name in help. */
  readonly value: string;
  readonly type: SettingType;
  readonly help: string;
  /** What help says holds where the user says nothing. */
  readonly fallback?: string | number;
}

const setting = (
  key: string,
  type: SettingType,
  rest: Pick<ClusterSetting, "value" | "help" | "fallback">,
): ClusterSetting => ({ key, type, ...rest });

/** In the order in which help lists them. `name` is not among them: in the file it is `metadata.name`. */
export const clusterSettings: readonly ClusterSetting[] = [
  setting("nodes", "number", { value: "n", help: "how many nodes", fallback: clusterDefaults.nodes }),
  setting("wait", "duration", {
    value: "duration",
    help: "how long to wait for nodes and DNS; 0 does not wait",
    fallback: "60s",
  }),
  setting("podCidr", "text", {
    value: "range",
    help: "addresses of the pods, a /24 or /64 per node",
    fallback: `${defaultRanges.podCidr.IPv4},${defaultRanges.podCidr.IPv6}`,
  }),
  setting("serviceCidr", "text", {
    value: "range",
    help: "addresses of the Services",
    fallback: `${defaultRanges.serviceCidr.IPv4},${defaultRanges.serviceCidr.IPv6}`,
  }),
  setting("nodeCidr", "text", {
    value: "range",
    help: "addresses of the nodes",
    fallback: `${defaultRanges.nodeCidr.IPv4},${defaultRanges.nodeCidr.IPv6}`,
  }),
  setting("outsideCidr", "text", {
    value: "range",
    help: "addresses of the client beyond the cluster",
    fallback: `${defaultRanges.outsideCidr.IPv4},${defaultRanges.outsideCidr.IPv6}`,
  }),
  setting("clusterDomain", "text", {
    value: "name",
    help: "the DNS name under which Services live",
    fallback: clusterDefaults.clusterDomain,
  }),
  setting("nodePortRange", "text", {
    value: "first-last",
    help: "ports of NodePort Services",
    fallback: clusterDefaults.nodePortRange,
  }),
  setting("maxPods", "number", { value: "n", help: "how many pods a node takes", fallback: clusterDefaults.maxPods }),
  setting("network", "text", {
    value: "kind",
    help: "how pods of different nodes reach each other: host-gw, vxlan",
    fallback: clusterDefaults.network,
  }),
  setting("ipFamily", "text", {
    value: "family",
    help: "ipv4, ipv6 or dual; of dual ranges, IPV4,IPV6, the first is the primary family",
    fallback: clusterDefaults.ipFamily,
  }),
  setting("images", "list", { value: "sources", help: "where images come from", fallback: clusterDefaults.images }),
  setting("apiPort", "number", {
    value: "port",
    help: "the API's port on 127.0.0.1; the first free one from 6443 where absent",
  }),
  setting("agents", "number", { value: "n", help: "how many processes share the nodes", fallback: 1 }),
  setting("auditLog", "boolean", { value: "", help: "write every request to the API down (netloom logs audit)" }),
  setting("kubeconfig", "text", { value: "file", help: "the kubeconfig to merge the context into" }),
];

/** "podCidr" -> "--pod-cidr". */
export const flagOf = (key: string): string => `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
