import assert from "node:assert/strict";
import { test } from "node:test";
import { desiredPorts } from "./desired-ports.ts";

const nodes = [1, 2].map((i) => ({
  name: `node-${i}`,
  address: `192.168.60.1${i}`,
  podCidr: `10.244.${i}.0/24`,
  loopbackAddress: `127.60.0.${i}`,
}));

test("desiredPorts() publishes a NodePort of each protocol at every node's loopback address", () => {
  const service = {
    spec: {
      ports: [
        { port: 80, nodePort: 31_080 },
        { port: 53, nodePort: 31_053, protocol: "UDP" },
        { port: 81 },
        { port: 99, nodePort: 31_099, protocol: "SCTP" },
      ],
    },
  };
  assert.deepEqual(
    [...desiredPorts([service], nodes).keys()],
    ["tcp 127.60.0.1:31080", "tcp 127.60.0.2:31080", "udp 127.60.0.1:31053", "udp 127.60.0.2:31053"],
  );
});

test("desiredPorts() of Services without node ports is empty", () => {
  assert.equal(desiredPorts([{ spec: { ports: [{ port: 80 }] } }, {}], nodes).size, 0);
});
