import assert from "node:assert/strict";
import { test } from "node:test";
import type { PodSpec } from "../../api/generated/types.ts";
import { hostsFile, podHostname, resolvConf } from "./index.ts";

const clusterDomain = "cluster.local";

function podOf(spec: Partial<PodSpec> = {}) {
  return { metadata: { name: "web", namespace: "shop" }, spec: { containers: [], ...spec } };
}

test("hostsFile() of a pod with a subdomain and aliases, whole", () => {
  const pod = podOf({
    hostname: "one",
    subdomain: "sub",
    hostAliases: [{ ip: "1.2.3.4", hostnames: ["foo", "bar"] }],
  });
  assert.equal(
    hostsFile({ pod, ips: ["10.244.1.2"], clusterDomain, nodeHosts: undefined }),
    `# Kubernetes-managed hosts file.
127.0.0.1	localhost
::1	localhost ip6-localhost ip6-loopback
fe00::0	ip6-localnet
fe00::0	ip6-mcastprefix
fe00::1	ip6-allnodes
fe00::2	ip6-allrouters
10.244.1.2	one.sub.shop.svc.cluster.local	one

# Entries added by HostAliases.
1.2.3.4	foo	bar
`,
  );
});

test("hostsFile() on the host's network is the node's own", () => {
  assert.equal(
    hostsFile({ pod: podOf(), ips: ["192.168.60.11"], clusterDomain, nodeHosts: "127.0.0.1 localhost\n" }),
    "# Kubernetes-managed hosts file (host network).\n127.0.0.1 localhost\n",
  );
});

test("podHostname() cuts a long name to what the kernel takes, not within separators", () => {
  const name = `${"a".repeat(62)}-bcd`;
  assert.equal(podHostname({ metadata: { name } }, clusterDomain).hostname, "a".repeat(62));
});

const node = "search lan\nnameserver 192.168.60.1 # the router\noptions rotate\n";
const inCluster = "shop.svc.cluster.local svc.cluster.local cluster.local";
const dnsConfig = {
  nameservers: ["9.9.9.9"],
  searches: ["example.org"],
  options: [{ name: "ndots", value: "2" }, { name: "edns0" }],
};
for (const [what, spec, text] of [
  ["ClusterFirst", {}, `search ${inCluster} lan\nnameserver 10.96.0.10\noptions ndots:5\n`],
  ["Default", { dnsPolicy: "Default" }, "search lan\nnameserver 192.168.60.1\noptions rotate\n"],
  [
    "ClusterFirst on the host's network",
    { hostNetwork: true },
    "search lan\nnameserver 192.168.60.1\noptions rotate\n",
  ],
  [
    "ClusterFirstWithHostNet",
    { hostNetwork: true, dnsPolicy: "ClusterFirstWithHostNet" },
    `search ${inCluster} lan\nnameserver 10.96.0.10\noptions ndots:5\n`,
  ],
  [
    "None with a dnsConfig",
    { dnsPolicy: "None", dnsConfig },
    "search example.org\nnameserver 9.9.9.9\noptions ndots:2 edns0\n",
  ],
  [
    "ClusterFirst with a dnsConfig",
    { dnsConfig },
    `search ${inCluster} lan example.org\nnameserver 10.96.0.10\nnameserver 9.9.9.9\noptions ndots:2 edns0\n`,
  ],
] as const) {
  test(`resolvConf() for ${what}`, () => {
    assert.equal(resolvConf({ pod: podOf(spec), clusterDomain, clusterDns: "10.96.0.10", node }), text);
  });
}
