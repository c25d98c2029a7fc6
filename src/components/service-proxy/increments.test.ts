import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { EndpointSlice, Service } from "../../api/generated/types.ts";
import { createFakeNftables } from "../../kernel/nftables/index.ts";
import { parseCidr, parseIpAddress } from "../../lib/ip/index.ts";
import { splitTransaction } from "../../model/rules/index.ts";
import { createServicePlan, ruleSetOf, updateServicePlan, type ServiceObjects } from "../../model/services/index.ts";

const node = {
  name: "node-1",
  addresses: [parseIpAddress("192.168.60.11"), parseIpAddress("fd00:60::11")],
  podCidrs: [parseCidr("10.244.1.0/24"), parseCidr("fd00:244:1::/64")],
  clusterCidrs: [parseCidr("10.244.0.0/16")],
  serviceCidrs: [parseCidr("10.96.0.0/12")],
  podInterfacePrefix: "v",
};

const address = fc
  .tuple(fc.constantFrom(1, 2), fc.integer({ min: 1, max: 6 }))
  .map(([net, host]) => `10.244.${net}.${host}`);
const endpoint = fc.record({
  addresses: address.map((text) => [text]),
  nodeName: fc.constantFrom("node-1", "node-2"),
  conditions: fc.record({ ready: fc.boolean(), serving: fc.boolean(), terminating: fc.boolean() }),
});
const service = fc.record({
  type: fc.constantFrom("ClusterIP", "NodePort", "LoadBalancer", "ExternalName"),
  sessionAffinity: fc.constantFrom("None", "ClientIP"),
  internalTrafficPolicy: fc.constantFrom("Cluster", "Local"),
  externalTrafficPolicy: fc.constantFrom("Cluster", "Local"),
  // Few, so that services claim the same ones.
  externalIPs: fc.subarray(["198.51.100.1", "198.51.100.2"]),
  loadBalancerSourceRanges: fc.subarray(["10.0.0.0/8", "10.1.0.0/16", "11.0.0.0/8"]),
  nodePort: fc.constantFrom(30_001, 30_002),
  protocol: fc.constantFrom("TCP", "UDP"),
});

/** One service of three is made, changed or deleted. */
const step: fc.Arbitrary<ServiceObjects> = fc
  .record({ index: fc.nat(2), service: fc.option(service), endpoints: fc.array(endpoint, { maxLength: 24 }) })
  .map(({ index, service: sketch, endpoints }) => {
    const name = `s${index}`;
    const slices: readonly EndpointSlice[] = [
      { metadata: { namespace: "default", name }, addressType: "IPv4", ports: [{ name: "http", port: 80 }], endpoints },
    ];
    if (sketch === null) return { key: `default/${name}`, service: undefined, slices };
    const { nodePort, protocol, ...spec } = sketch;
    const made: Service = {
      metadata: { namespace: "default", name },
      spec: { ...spec, clusterIP: `10.96.0.${index + 1}`, ports: [{ name: "http", port: 80, protocol, nodePort }] },
      status: { loadBalancer: { ingress: [{ ip: "198.51.100.2" }] } },
    };
    return { key: `default/${name}`, service: made, slices };
  });

for (const way of ["as one transaction", "in small steps"] as const) {
  test(`changes applied ${way} leave exactly the rules that are planned`, () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
        const rules = createFakeNftables();
        const plan = createServicePlan(node);
        rules.sync(ruleSetOf(plan));
        for (const objects of steps) {
          const { transaction } = updateServicePlan(plan, { services: [objects] });
          if (way === "as one transaction") rules.apply(transaction);
          else for (const part of splitTransaction(transaction, 3)) rules.apply(part);
        }
        const { addedElements, removedElements } = rules.sync(ruleSetOf(plan));
        assert.deepEqual([addedElements, removedElements], [0, 0]);
      }),
      { numRuns: 60 },
    );
  });
}
