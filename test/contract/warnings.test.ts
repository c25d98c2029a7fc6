/**
 * What upstream's server takes and yet warns of, word for word. Those of pods, templates and affinity were asked of
 * kube-apiserver 1.35.0, the others are as its sources and tests tell.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startTestServer } from "./api-server.ts";
import type { TestServer } from "./api-server.ts";
import { httpCaller } from "./http-call.ts";
import type { Caller } from "./http-call.ts";

let server: TestServer | undefined;
let ask: Caller;

before(async () => {
  server = await startTestServer();
  ask = httpCaller(server);
});

after(async () => await server?.close());

const pods = "/api/v1/namespaces/default/pods";
const services = "/api/v1/namespaces/default/services";
const deployments = "/apis/apps/v1/namespaces/default/deployments";
const container = { name: "c", image: "x" };
const pod = (spec: object, metadata: object = {}): object => ({
  metadata: { name: "w", ...metadata },
  spec: { containers: [container], ...spec },
});
const twice = [
  { name: "A", value: "1" },
  { name: "A", value: "2" },
];
const service = (spec: object, annotations: object = {}): object => ({
  metadata: { name: "w", annotations },
  spec: { ports: [{ port: 80 }], ...spec },
});
const owner = { apiVersion: "v1", kind: "ConfigMap", name: "owner", uid: "u" };
const labels = { a: "b" };
const deployment = (containerPart: object): object => ({
  metadata: { name: "w" },
  spec: {
    selector: { matchLabels: labels },
    template: { metadata: { labels }, spec: { containers: [{ ...container, ...containerPart }] } },
  },
});

const cases: readonly (readonly [string, string, object, readonly string[]])[] = [
  [
    "a variable that hides another",
    pods,
    pod({ containers: [{ ...container, env: twice }] }),
    ['spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply'],
  ],
  [
    "a variable made of another of its name",
    pods,
    pod({ containers: [{ ...container, env: [twice[0], { name: "A", value: "$(A)2" }] }] }),
    [],
  ],
  [
    "one port of two containers",
    pods,
    pod({
      containers: [
        { ...container, ports: [{ containerPort: 80 }] },
        { name: "d", image: "x", ports: [{ containerPort: 80 }] },
      ],
    }),
    ["spec.containers[1].ports[0]: duplicate port definition with spec.containers[0].ports[0]"],
  ],
  [
    "a port of two protocols",
    pods,
    pod({ containers: [{ ...container, ports: [{ containerPort: 80 }, { containerPort: 80, protocol: "UDP" }] }] }),
    [],
  ],
  [
    "an old node label",
    pods,
    pod({ nodeSelector: { "beta.kubernetes.io/os": "linux" } }),
    ['spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead'],
  ],
  [
    "pull secrets twice or of no name",
    pods,
    pod({ imagePullSecrets: [{ name: "a" }, { name: "a" }, {}] }),
    ['spec.imagePullSecrets[1].name: duplicate name "a"', 'spec.imagePullSecrets[2].name: invalid empty name ""'],
  ],
  [
    "one address of two host aliases",
    pods,
    pod({
      hostAliases: [
        { ip: "1.1.1.1", hostnames: ["a"] },
        { ip: "1.1.1.1", hostnames: ["b"] },
      ],
    }),
    ['spec.hostAliases[1].ip: duplicate ip "1.1.1.1"'],
  ],
  [
    "a volume whose driver is gone",
    pods,
    pod({ volumes: [{ name: "g", glusterfs: { endpoints: "e", path: "p" } }] }),
    ["spec.volumes[0].glusterfs: deprecated in v1.25, non-functional in v1.26+"],
  ],
  [
    "a spread over no pod",
    pods,
    pod({ topologySpreadConstraints: [{ maxSkew: 1, topologyKey: "z", whenUnsatisfiable: "DoNotSchedule" }] }),
    ["spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod"],
  ],
  [
    "a name with dots",
    pods,
    pod({}, { name: "w.x" }),
    [
      "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]",
    ],
  ],
  [
    "a template's variable that hides another",
    deployments,
    deployment({ env: twice }),
    [
      'spec.template.spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply',
    ],
  ],
  [
    "a headless Service that is to stick",
    services,
    service({ clusterIP: "None", sessionAffinity: "ClientIP" }),
    ["spec.SessionAffinity is ignored for headless services"],
  ],
  [
    "a headless Service with a load balancer's address and external ones",
    services,
    service({ clusterIP: "None", loadBalancerIP: "1.1.1.1", externalIPs: ["1.1.1.2"] }),
    ["spec.loadBalancerIP is ignored for headless services", "spec.externalIPs is ignored for headless services"],
  ],
  [
    "a Service of type ExternalName with external addresses",
    services,
    service({ type: "ExternalName", externalName: "a.example", externalIPs: ["1.1.1.2"] }),
    ['spec.externalIPs is ignored when spec.type is "ExternalName"'],
  ],
  [
    "a Service of another type with an external name",
    services,
    service({ externalName: "a.example" }),
    ['spec.externalName is ignored when spec.type is not "ExternalName"'],
  ],
  [
    "a Service that prefers what is close, and has hints",
    services,
    service({ trafficDistribution: "PreferClose" }, { "service.kubernetes.io/topology-aware-hints": "auto" }),
    [
      "annotation service.kubernetes.io/topology-aware-hints is deprecated, please use service.kubernetes.io/topology-mode instead",
      'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"',
    ],
  ],
  [
    "a Service with addresses and ranges in unusual spelling",
    services,
    service({
      type: "LoadBalancer",
      externalIPs: ["2001:db8:1:0::2", "::ffff:10.12.2.2"],
      loadBalancerSourceRanges: ["10.0.0.5/24"],
    }),
    [
      'spec.externalIPs[0]: IPv6 address "2001:db8:1:0::2" should be in RFC 5952 canonical format ("2001:db8:1::2")',
      'spec.externalIPs[1]: non-standard IP address "::ffff:10.12.2.2" will be considered invalid in a future Kubernetes release: use "10.12.2.2"',
      'spec.loadBalancerSourceRanges[0]: CIDR value "10.0.0.5/24" is ambiguous in this context (should be "10.0.0.0/24" or "10.0.0.5/32"?)',
    ],
  ],
  [
    "a NetworkPolicy with a range that is not one",
    "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies",
    {
      metadata: { name: "w" },
      spec: {
        podSelector: {},
        ingress: [{ from: [{ ipBlock: { cidr: "10.0.0.0/8", except: ["10.1.2.3/16"] } }] }],
        egress: [{ to: [{ podSelector: {} }, { ipBlock: { cidr: "2001:db8:0:0::/64" } }] }],
      },
    },
    [
      'spec.ingress[0].from[0].ipBlock.except[0]: CIDR value "10.1.2.3/16" is ambiguous in this context (should be "10.1.0.0/16" or "10.1.2.3/32"?)',
      'spec.egress[0].to[1].ipBlock.cidr: IPv6 CIDR value "2001:db8:0:0::/64" should be in RFC 5952 canonical format ("2001:db8::/64")',
    ],
  ],
  [
    "Endpoints, and an address of theirs in unusual spelling",
    "/api/v1/namespaces/default/endpoints",
    { metadata: { name: "w" }, subsets: [{ addresses: [{ ip: "2001:db8:0::1" }], ports: [{ port: 80 }] }] },
    [
      "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
      'subsets[0].addresses[0].ip: IPv6 address "2001:db8:0::1" should be in RFC 5952 canonical format ("2001:db8::1")',
    ],
  ],
  [
    "an EndpointSlice with an address in unusual spelling",
    "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices",
    { metadata: { name: "w" }, addressType: "IPv6", endpoints: [{ addresses: ["2001:db8:0::1"] }] },
    ['endpoints[0].addresses[0]: IPv6 address "2001:db8:0::1" should be in RFC 5952 canonical format ("2001:db8::1")'],
  ],
  [
    "an owner named twice",
    "/api/v1/namespaces/default/configmaps",
    { metadata: { name: "w", ownerReferences: [owner, { ...owner, name: "other" }, owner] } },
    [
      ".metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: [u]",
    ],
  ],
];

for (const [what, path, body, expected] of cases) {
  test(`${what}: ${expected.length === 0 ? "no warning" : "upstream's warning"}`, async () => {
    const answer = await ask(`${path}?dryRun=All`, { method: "POST", body });
    assert.equal(answer.code, 201, answer.text);
    assert.deepEqual(warningsOf(answer.headers), expected);
  });
}

test("an owner that is named twice is stored once, also where a patch names it", async () => {
  const configMaps = "/api/v1/namespaces/default/configmaps";
  const made = await ask(configMaps, {
    method: "POST",
    body: { metadata: { name: "owned", ownerReferences: [owner, owner] } },
  });
  assert.deepEqual((made.json as { metadata: { ownerReferences: unknown } }).metadata.ownerReferences, [owner]);
  const patched = await ask(`${configMaps}/owned`, {
    method: "PATCH",
    headers: { "content-type": "application/merge-patch+json" },
    body: { metadata: { ownerReferences: [owner, owner] } },
  });
  assert.match(warningsOf(patched.headers).join(), /duplicate entries after mutating admission happens; .*: \[u\]$/);
});

test("Endpoints are deprecated in every answer, what their controller writes is not looked at", async () => {
  const list = await ask("/api/v1/namespaces/default/endpoints");
  assert.deepEqual(warningsOf(list.headers), [
    "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
  ]);
  const managed = await ask("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?dryRun=All", {
    method: "POST",
    body: {
      metadata: {
        name: "w",
        labels: { "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io" },
      },
      addressType: "IPv6",
      endpoints: [{ addresses: ["2001:db8:0::1"] }],
    },
  });
  assert.equal(managed.code, 201);
  assert.deepEqual(warningsOf(managed.headers), []);
});

test("a Deployment is warned of again when its template changes, not when its labels do", async () => {
  await ask(deployments, { method: "POST", body: deployment({ env: twice }) });
  const patch = async (change: object): Promise<number> => {
    const headers = { "content-type": "application/merge-patch+json" };
    const answer = await ask(`${deployments}/w`, { method: "PATCH", headers, body: change });
    assert.equal(answer.code, 200, answer.text);
    return warningsOf(answer.headers).length;
  };
  assert.equal(await patch({ metadata: { labels: { x: "y" } } }), 0);
  assert.equal(await patch({ spec: { template: { metadata: { annotations: { x: "y" } } } } }), 1);
});

/** The texts of the `Warning` headers. */
function warningsOf(headers: Readonly<Record<string, unknown>>): readonly string[] {
  const { warning = [] } = headers;
  return [
    ...[warning]
      .flat()
      .join(", ")
      .matchAll(/299 - "((?:[^"\\]|\\.)*)"/g),
  ].map(([, text = ""]) => text.replaceAll(/\\(.)/g, "$1"));
}
