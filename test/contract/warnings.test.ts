/** What upstream's server takes and yet warns of, word for word: each was asked of kube-apiserver 1.35.0. */
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
    "/api/v1/namespaces/default/services",
    { metadata: { name: "w" }, spec: { clusterIP: "None", sessionAffinity: "ClientIP", ports: [{ port: 80 }] } },
    ["spec.SessionAffinity is ignored for headless services"],
  ],
];

for (const [what, path, body, expected] of cases) {
  test(`${what}: ${expected.length === 0 ? "no warning" : "upstream's warning"}`, async () => {
    const answer = await ask(`${path}?dryRun=All`, { method: "POST", body });
    assert.equal(answer.code, 201, answer.text);
    assert.deepEqual(warningsOf(answer.headers), expected);
  });
}

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
