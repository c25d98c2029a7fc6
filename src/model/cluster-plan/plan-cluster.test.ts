import assert from "node:assert/strict";
import { test } from "node:test";
import { ClusterOptionsError, planCluster } from "./index.ts";

const host = { stateDir: "/state", runDir: "/run/x", toolsDir: "/tools", apiPort: 6443, loopbackIndex: 60 };

function mistakesOf(options: Parameters<typeof planCluster>[0]): readonly string[] {
  try {
    planCluster(options, host);
  } catch (error) {
    if (error instanceof ClusterOptionsError) return error.mistakes;
    throw error;
  }
  return [];
}

test("planCluster() without options gives three nodes with addresses of their own", () => {
  const config = planCluster({}, host);
  assert.deepEqual(config.nodes, [
    { name: "node-1", addresses: ["192.168.60.11"], podCidrs: ["10.244.1.0/24"], loopbackAddress: "127.60.0.1" },
    { name: "node-2", addresses: ["192.168.60.12"], podCidrs: ["10.244.2.0/24"], loopbackAddress: "127.60.0.2" },
    { name: "node-3", addresses: ["192.168.60.13"], podCidrs: ["10.244.3.0/24"], loopbackAddress: "127.60.0.3" },
  ]);
  assert.equal(config.dnsServiceAddress, "10.96.0.10");
  assert.equal(config.kubernetesServiceAddress, "10.96.0.1");
  assert.equal(config.controlPlaneAddresses[0], "192.168.60.1");
});

test("planCluster() reports all mistakes together", () => {
  const mistakes = mistakesOf({
    name: "Über",
    nodes: 0,
    podCidr: "10.244.0.0/33",
    serviceCidr: "fd00::/112",
    clusterDomain: "a..b",
    nodePortRange: "5-4",
    images: "catalogue",
  });
  for (const part of [
    "--name",
    "--nodes",
    "--pod-cidr",
    "--service-cidr",
    "--cluster-domain",
    "--node-port-range",
    "--images",
  ]) {
    assert.ok(
      mistakes.some((mistake) => mistake.startsWith(part)),
      `${part} in ${mistakes.join("; ")}`,
    );
  }
});

const overlaps: readonly (readonly [string, Parameters<typeof planCluster>[0], RegExp])[] = [
  [
    "pods within services",
    { podCidr: "10.100.0.0/16" },
    /--pod-cidr "10.100.0.0\/16" overlaps --service-cidr "10.96.0.0\/12"/,
  ],
  ["nodes within pods", { nodeCidr: "10.244.9.0/24" }, /--node-cidr "10.244.9.0\/24" overlaps --pod-cidr/],
  ["loopback", { nodeCidr: "127.1.0.0/24" }, /overlaps the loopback network/],
  ["too few /24 for the nodes", { podCidr: "10.244.0.0/22", nodes: 4 }, /no \/24 for each of 4 nodes/],
];
for (const [name, options, message] of overlaps) {
  test(`planCluster() refuses ranges that do not fit: ${name}`, () => {
    assert.match(mistakesOf(options).join("\n"), message);
  });
}

test("planCluster() gives a dual-stack cluster addresses of both families, with the same digits", () => {
  const config = planCluster({ ipFamily: "dual", nodes: 2 }, host);
  assert.deepEqual(config.nodes[1], {
    name: "node-2",
    addresses: ["192.168.60.12", "fd00:192:168:60::12"],
    podCidrs: ["10.244.2.0/24", "fd00:10:244:2::/64"],
    loopbackAddress: "127.60.0.2",
  });
  assert.deepEqual(config.controlPlaneAddresses, ["192.168.60.1", "fd00:192:168:60::1"]);
  assert.deepEqual(config.serviceCidrs, ["10.96.0.0/12", "fd00:10:96::/112"]);
  assert.deepEqual([config.dnsServiceAddress, config.kubernetesServiceAddress], ["10.96.0.10", "10.96.0.1"]);
});

test("planCluster() gives an IPv6 cluster addresses of that family only, for the most nodes", () => {
  const config = planCluster({ ipFamily: "ipv6", nodes: 200 }, host);
  assert.deepEqual(config.nodes.at(-1)?.addresses, ["fd00:192:168:60::210"]);
  assert.deepEqual(config.nodes.at(-1)?.podCidrs, ["fd00:10:244:c8::/64"]);
  assert.equal(config.dnsServiceAddress, "fd00:10:96::a");
  assert.deepEqual(config.outsideAddresses, ["fd00:192:168:61::2"]);
  assert.equal(new Set(config.nodes.flatMap(({ addresses, podCidrs }) => [...addresses, ...podCidrs])).size, 400);
});

test("planCluster() takes the family that a range names first for the primary one, everywhere", () => {
  const config = planCluster(
    { ipFamily: "dual", podCidr: "fd01::/56,10.1.0.0/16", nodeCidr: "10.2.0.0/24", nodes: 1 },
    host,
  );
  assert.deepEqual(config.podCidrs, ["fd01::/56", "10.1.0.0/16"]);
  assert.deepEqual(config.nodeCidrs, ["fd00:192:168:60::/64", "10.2.0.0/24"]);
  assert.deepEqual(config.nodes[0]?.addresses, ["fd00:192:168:60::11", "10.2.0.11"]);
  assert.equal(config.dnsServiceAddress, "fd00:10:96::a");
});

const wrongFamilies: readonly (readonly [string, Parameters<typeof planCluster>[0], readonly RegExp[]])[] = [
  ["no such family", { ipFamily: "ipv5" }, [/^--ip-family "ipv5": use one of ipv4, ipv6, dual$/]],
  ["IPv6 in an IPv4 cluster", { podCidr: "10.1.0.0/16,fd01::/56" }, [/^--pod-cidr "fd01::\/56": it is IPv6/]],
  ["IPv4 in an IPv6 cluster", { ipFamily: "ipv6", nodeCidr: "10.1.0.0/16" }, [/"ipv6"; use an IPv6 range/]],
  ["two of one family", { ipFamily: "dual", podCidr: "10.1.0.0/16,10.2.0.0/16" }, [/several IPv4 ranges/]],
  [
    "two orders",
    { ipFamily: "dual", podCidr: "10.1.0.0/16,fd01::/56", serviceCidr: "fd02::/112,10.2.0.0/16" },
    [/begins with IPv4, and --pod-cidr|--service-cidr "fd02::\/112,10.2.0.0\/16" begins with IPv6, and --pod-cidr/],
  ],
  [
    "prefixes that do not fit, each told",
    { ipFamily: "ipv6", podCidr: "fd01::/72", serviceCidr: "fd02::/64", nodeCidr: "fd03::/120" },
    [/--node-cidr .* \/16 to \/112/, /--pod-cidr .* \/48 to \/64/, /--service-cidr .* \/108 to \/124/],
  ],
  ["too few /64", { ipFamily: "dual", podCidr: "fd01::/63", nodes: 3 }, [/no \/64 for each of 3 nodes/]],
  ["link-local", { ipFamily: "ipv6", nodeCidr: "fe80::/64" }, [/overlaps the link-local network fe80::\/10/]],
  ["overlapping", { ipFamily: "dual", nodeCidr: "fd00:10:244:3::/64" }, [/overlaps --pod-cidr "fd00:10:244::\/56"/]],
];
for (const [name, options, messages] of wrongFamilies) {
  test(`planCluster() refuses ranges of the wrong family or form: ${name}`, () => {
    const mistakes = mistakesOf(options);
    assert.equal(mistakes.length, messages.length, mistakes.join("\n"));
    for (const [index, message] of messages.entries()) assert.match(mistakes[index] ?? "", message);
  });
}
