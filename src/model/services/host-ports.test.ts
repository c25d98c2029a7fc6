import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../../api/generated/types.ts";
import { hostPortsOf } from "./host-ports.ts";

const pod = (spec: object = {}, status: object = {}): Pod => ({
  metadata: { namespace: "default", name: "hp" },
  spec: {
    containers: [{ name: "hp", ports: [{ containerPort: 80, hostPort: 8080 }, { containerPort: 81 }] }],
    ...spec,
  },
  status: { podIP: "10.244.1.7", podIPs: [{ ip: "10.244.1.7" }], ...status },
});

test("hostPortsOf() gives the ports that name one, with the pod as their cause", () => {
  assert.deepEqual(hostPortsOf([pod()]), [
    {
      hostAddress: undefined,
      protocol: "tcp",
      hostPort: 8080,
      podAddress: "10.244.1.7",
      containerPort: 80,
      cause: { kind: "Pod", namespace: "default", name: "hp", detail: "hostPort 8080" },
    },
  ]);
});

test("hostPortsOf() keeps an address that is asked for, and takes any address as none", () => {
  const at = (hostIP: string) =>
    hostPortsOf([pod({ containers: [{ name: "a", ports: [{ containerPort: 1, hostPort: 2, hostIP }] }] })]).map(
      ({ hostAddress }) => hostAddress,
    );
  assert.deepEqual(at("192.168.60.11"), ["192.168.60.11"]);
  assert.deepEqual(at("0.0.0.0"), [undefined]);
});

for (const [name, spec, status] of [
  ["on the node's own network", { hostNetwork: true }, {}],
  ["that has ended", {}, { phase: "Succeeded" }],
  ["without an address", {}, { podIP: undefined, podIPs: [] }],
] as const) {
  test(`hostPortsOf() of a pod ${name} is empty`, () => assert.deepEqual(hostPortsOf([pod(spec, status)]), []));
}
