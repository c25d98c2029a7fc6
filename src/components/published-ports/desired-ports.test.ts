import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { Service } from "../../api/generated/types.ts";
import type { NodeConfig } from "../../model/cluster-config.ts";
import { desiredPorts } from "./desired-ports.ts";
import { exposeAnnotation, formatExposures, parseExposures } from "./exposure.ts";

const nodes = [1, 2].map((index): NodeConfig => ({
  name: `node-${index}`,
  addresses: [`192.168.60.1${index}`],
  podCidrs: [`10.244.${index}.0/24`],
  loopbackAddress: `127.60.0.${index}`,
}));

const service = (options: {
  readonly name?: string;
  readonly expose?: string;
  readonly clusterIP?: string;
  readonly ports: NonNullable<Service["spec"]>["ports"];
}): Service => ({
  metadata: {
    name: options.name ?? "web",
    namespace: "default",
    ...(options.expose === undefined ? {} : { annotations: { [exposeAnnotation]: options.expose } }),
  },
  spec: { clusterIP: options.clusterIP ?? "10.96.1.2", ports: options.ports ?? [] },
});

const keysOf = (...services: readonly Service[]): readonly string[] => [...desiredPorts(services, nodes).keys()];

test("desiredPorts() publishes node ports of each protocol once per node, from beyond the cluster", () => {
  const web = service({
    ports: [{ port: 80, nodePort: 31_080 }, { port: 53, nodePort: 31_053, protocol: "UDP" }, { port: 81 }],
  });
  const ports = [...desiredPorts([web], nodes).values()];
  assert.deepEqual(
    ports.map(({ key }) => key),
    [
      "tcp 127.60.0.1:31080 to 192.168.60.11:31080",
      "tcp 127.60.0.2:31080 to 192.168.60.12:31080",
      "udp 127.60.0.1:31053 to 192.168.60.11:31053",
      "udp 127.60.0.2:31053 to 192.168.60.12:31053",
    ],
  );
  assert.ok(ports.every(({ target }) => target.from === "outside"));
});

test("desiredPorts() publishes what is exposed at the Service's own address, by number and by name", () => {
  const web = service({ expose: "8080:80, 8443:https", ports: [{ port: 80 }, { name: "https", port: 443 }] });
  assert.deepEqual(keysOf(web), ["tcp 127.0.0.1:8080 to 10.96.1.2:80", "tcp 127.0.0.1:8443 to 10.96.1.2:443"]);
});

test("desiredPorts() changes the key with the Service's address, so that the relay is made anew", () => {
  const at = (clusterIP: string): Service => service({ expose: "8080:80", clusterIP, ports: [{ port: 80 }] });
  assert.notDeepEqual(keysOf(at("10.96.1.2")), keysOf(at("10.96.1.3")));
});

const nothing: readonly (readonly [string, Service])[] = [
  ["a headless Service", service({ expose: "8080:80", clusterIP: "None", ports: [{ port: 80 }] })],
  ["a port the Service does not have", service({ expose: "8080:81", ports: [{ port: 80 }] })],
  ["SCTP", service({ expose: "8080:80", ports: [{ port: 80, protocol: "SCTP", nodePort: 31_000 }] })],
  ["a Service without node ports", service({ ports: [{ port: 80 }] })],
  ["nonsense", service({ expose: "eighty, :80, 99999:80", ports: [{ port: 80 }] })],
];
for (const [what, of] of nothing) {
  test(`desiredPorts() publishes nothing for ${what}`, () => assert.deepEqual(keysOf(of), []));
}

test("desiredPorts() gives a host's port to the first Service that asks for it", () => {
  const first = service({ name: "a", expose: "8080:80", ports: [{ port: 80 }] });
  const second = service({ name: "b", expose: "8080:80", clusterIP: "10.96.9.9", ports: [{ port: 80 }] });
  assert.deepEqual(keysOf(first, second), ["tcp 127.0.0.1:8080 to 10.96.1.2:80"]);
});

test("parseExposures() reads back what formatExposures() writes, and takes any text", () => {
  const text = "8080:80,53:dns-udp";
  assert.equal(formatExposures(parseExposures(text).exposures), text);
  assert.deepEqual(parseExposures("1:x,1:y,0:z").mistakes, ["1:y", "0:z"]);
  fc.assert(fc.property(fc.string(), (any) => parseExposures(any).exposures.every(({ hostPort }) => hostPort > 0)));
});

test("desiredPorts() leads to the node's address of the Service's family, and exposes on ::1 where there is IPv6", () => {
  const dual: readonly NodeConfig[] = [
    {
      name: "node-1",
      addresses: ["192.168.60.11", "fd00:192:168:60::11"],
      podCidrs: ["10.244.1.0/24", "fd00:10:244:1::/64"],
      loopbackAddress: "127.60.0.1",
    },
  ];
  const web = service({ expose: "8080:80", clusterIP: "fd00:10:96::7", ports: [{ port: 80, nodePort: 31_080 }] });
  const ports = desiredPorts([{ ...web, spec: { ...web.spec, ipFamilies: ["IPv6"] } }], dual);
  assert.deepEqual(
    [...ports.keys()],
    [
      "tcp 127.60.0.1:31080 to [fd00:192:168:60::11]:31080",
      "tcp 127.0.0.1:8080 to [fd00:10:96::7]:80",
      "tcp [::1]:8080 to [fd00:10:96::7]:80",
    ],
  );
});
