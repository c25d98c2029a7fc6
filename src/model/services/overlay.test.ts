/** Under which address packets leave a node that reaches the pods of others through an overlay. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { EndpointSlice, Service } from "../../api/generated/types.ts";
import { type IpAddress, parseCidr, parseIpAddress } from "../../lib/ip/index.ts";
import { createWalker } from "../rules/index.ts";
import { createServicePlan, type NodeNetwork, ruleSetOf, updateServicePlan } from "./index.ts";

const plain: NodeNetwork = {
  name: "node-1",
  addresses: [parseIpAddress("fd00:60::11")],
  podCidrs: [parseCidr("fd00:244:1::/64")],
  clusterCidrs: [parseCidr("fd00:244::/32"), parseCidr("fd00:60::/64")],
  serviceCidrs: [parseCidr("fd00:96::/112")],
  podInterfacePrefix: "v",
};
const wrapped: NodeNetwork = {
  ...plain,
  clusterCidrs: [parseCidr("fd00:244::/32")],
  overlay: { addresses: [parseIpAddress("fd00:244:1::")], podCidrs: [parseCidr("fd00:244::/32")] },
};
const service: Service = {
  metadata: { namespace: "default", name: "web" },
  spec: { type: "NodePort", clusterIP: "fd00:96::80", ports: [{ port: 80, protocol: "TCP", nodePort: 30_080 }] },
};

/** The source with which a packet from beyond the cluster reaches the Service's endpoint. */
function sourceTowards(endpoint: string, node: NodeNetwork): string {
  const slice: EndpointSlice = {
    metadata: { namespace: "default", name: "web-x" },
    addressType: "IPv6",
    ports: [{ port: 8080, protocol: "TCP" }],
    endpoints: [{ addresses: [endpoint], nodeName: "node-2" }],
  };
  const plan = createServicePlan(node);
  updateServicePlan(plan, { services: [{ key: "default/web", service, slices: [slice] }] });
  return walk(plan, { source: "2001:db8::9", destination: "fd00:60::11", port: 30_080, link: "eth0" });
}

function walk(
  plan: ReturnType<typeof createServicePlan>,
  packet: { readonly source: string; readonly destination: string; readonly port: number; readonly link: string },
): string {
  const [result] = createWalker(ruleSetOf(plan), {
    addressType: (address: IpAddress) => (address === plain.addresses[0] ? "local" : "unicast"),
    masqueradeAddress: () => parseIpAddress("fd00:60::11"),
    isReachedBy: () => true,
  }).walkAll({
    packet: {
      family: "ip6",
      source: parseIpAddress(packet.source),
      destination: parseIpAddress(packet.destination),
      protocol: "tcp",
      sourcePort: 40_000,
      destinationPort: packet.port,
    },
    interfaceName: packet.link,
  });
  assert.equal(result?.verdict, "accept");
  return result.packet.source;
}

describe("behind a node with an overlay", () => {
  test("a request is passed on to a pod of another node under the overlay's address, so that the answer is wrapped", () => {
    assert.equal(sourceTowards("fd00:244:2::5", wrapped), "fd00:244:1::");
    assert.equal(sourceTowards("fd00:244:2::5", plain), "fd00:60::11");
  });

  test("and to what answers under a node's own address under that of this node", () => {
    assert.equal(sourceTowards("fd00:60::12", wrapped), "fd00:60::11");
  });

  test("pods keep their address towards pods only", () => {
    const from = { source: "fd00:244:1::5", port: 80, link: "v0123456789" };
    const plan = createServicePlan(wrapped);
    assert.equal(walk(plan, { ...from, destination: "fd00:244:2::5" }), "fd00:244:1::5");
    assert.equal(walk(plan, { ...from, destination: "fd00:60::12" }), "fd00:60::11");
    assert.equal(walk(createServicePlan(plain), { ...from, destination: "fd00:60::12" }), "fd00:244:1::5");
  });
});
