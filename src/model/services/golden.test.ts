import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { EndpointSlice, Service } from "../../api/generated/types.ts";
import { parseCidr, parseIpAddress } from "../../lib/ip/index.ts";
import { renderText } from "../rules/index.ts";
import { createServicePlan, ruleSetOf, updateServicePlan } from "./index.ts";

const golden = join(import.meta.dirname, "golden/services.nft");

function slice(service: string, addressType: string, addresses: readonly string[]): EndpointSlice {
  return {
    metadata: { namespace: "default", name: `${service}-${addressType.toLowerCase()}` },
    addressType,
    ports: [{ name: "http", port: 8080 }],
    endpoints: addresses.map((address, index) => ({
      addresses: [address],
      nodeName: `node-${(index % 2) + 1}`,
      targetRef: { kind: "Pod", namespace: "default", name: `${service}-${index}` },
    })),
  };
}

/** Every form of rule and element there is. Run with UPDATE_GOLDEN=1 to accept a change; test/kernel loads it. */
test("the rules of services are as in golden/services.nft", () => {
  const plan = createServicePlan({
    name: "node-1",
    addresses: [parseIpAddress("192.168.60.11"), parseIpAddress("fd00:60::11")],
    podCidrs: [parseCidr("10.244.1.0/24"), parseCidr("fd00:244:1::/64")],
    clusterCidrs: ["10.244.0.0/16", "192.168.60.0/24", "fd00:244::/32", "fd00:60::/64"].map((cidr) => parseCidr(cidr)),
    serviceCidrs: [parseCidr("10.96.0.0/12"), parseCidr("fd00:96::/112")],
    podInterfacePrefix: "v",
  });
  const service = (name: string, index: number, more: Service): Service => ({
    metadata: { namespace: "default", name },
    ...more,
    spec: {
      clusterIP: `10.96.0.${index}`,
      clusterIPs: [`10.96.0.${index}`, `fd00:96::${index}`],
      ports: [{ name: "http", port: 80, protocol: "TCP" }],
      ...more.spec,
    },
  });
  const addresses = (name: string) => [
    slice(name, "IPv4", ["10.244.1.5", "10.244.2.5"]),
    slice(name, "IPv6", ["fd00:244:1::5", "fd00:244:2::5"]),
  ];
  const services = [
    service("plain", 1, {}),
    service("sticky", 2, { spec: { sessionAffinity: "ClientIP" } }),
    service("shop", 3, {
      spec: {
        type: "LoadBalancer",
        externalTrafficPolicy: "Local",
        internalTrafficPolicy: "Local",
        externalIPs: ["198.51.100.7"],
        loadBalancerSourceRanges: ["203.0.113.0/24", "2001:db8::/32"],
        ports: [{ name: "http", port: 80, nodePort: 30_080, protocol: "TCP" }],
      },
      status: { loadBalancer: { ingress: [{ ip: "198.51.100.8" }, { ip: "2001:db8:1::8" }] } },
    }),
  ];
  updateServicePlan(plan, {
    services: services.map((one) => {
      const name = one.metadata?.name ?? "";
      return { key: `default/${name}`, service: one, slices: addresses(name) };
    }),
    hostPorts: [
      {
        hostAddress: undefined,
        protocol: "udp",
        hostPort: 53,
        podAddress: parseIpAddress("10.244.1.9"),
        containerPort: 5353,
        cause: { kind: "Pod", namespace: "default", name: "dns" },
      },
    ],
  });
  const text = renderText(ruleSetOf(plan));
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(golden, text);
  assert.equal(text, readFileSync(golden, "utf8"));
});
