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
    { name: "node-1", address: "192.168.60.11", podCidr: "10.244.1.0/24", loopbackAddress: "127.60.0.1" },
    { name: "node-2", address: "192.168.60.12", podCidr: "10.244.2.0/24", loopbackAddress: "127.60.0.2" },
    { name: "node-3", address: "192.168.60.13", podCidr: "10.244.3.0/24", loopbackAddress: "127.60.0.3" },
  ]);
  assert.equal(config.dnsServiceAddress, "10.96.0.10");
  assert.equal(config.kubernetesServiceAddress, "10.96.0.1");
  assert.equal(config.controlPlaneAddress, "192.168.60.1");
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
