import assert from "node:assert/strict";
import { test } from "node:test";
import { readCorefile } from "./corefile/index.ts";
import { clusterDnsManifests } from "./manifests.ts";

const manifests = clusterDnsManifests({ clusterDomain: "lab.test", dnsServiceAddress: "10.96.0.10" });

test("the Corefile of the ConfigMap is one this server reads, with what it says", () => {
  const [server, ...others] = readCorefile(manifests.configMap.data?.["Corefile"] ?? "");
  assert.deepEqual(others, []);
  assert.deepEqual([server?.zone, server?.port], [".", 53]);
  assert.deepEqual(server?.plugins, {
    errors: true,
    health: { host: "", port: 8080, lameduckMs: 5000 },
    ready: { host: "", port: 8181 },
    kubernetes: {
      zones: ["lab.test.", "in-addr.arpa.", "ip6.arpa."],
      pods: "insecure",
      ttlSeconds: 30,
      usesPodNames: false,
      ignoresEndpoints: false,
      namespaces: [],
      selector: [],
      fallthrough: ["in-addr.arpa.", "ip6.arpa."],
    },
    prometheus: { host: "", port: 9153 },
    forward: {
      from: ".",
      to: ["/etc/resolv.conf"],
      except: [],
      policy: "random",
      forceTcp: false,
      preferUdp: false,
      maxConcurrent: 1000,
    },
    cache: {
      zones: ["."],
      success: { capacity: 9984, maxTtlSeconds: 30, minTtlSeconds: 5, disabled: ["lab.test."] },
      denial: { capacity: 9984, maxTtlSeconds: 30, minTtlSeconds: 5, disabled: ["lab.test."] },
    },
    loop: true,
    reload: { intervalMs: 30_000, jitterMs: 15_000 },
    loadbalance: true,
  });
});

test("the Service selects the Deployment's pods and leads to ports they declare", () => {
  const { service, deployment } = manifests;
  const declared = deployment.spec?.template.spec?.containers[0]?.ports ?? [];
  assert.deepEqual(service.spec?.selector, deployment.spec?.template.metadata?.labels);
  assert.deepEqual(
    service.spec?.ports?.map(({ name, targetPort, protocol }) => [name, targetPort, protocol]),
    declared.map(({ name, containerPort, protocol }) => [name, containerPort, protocol]),
  );
});
