/** What objects upstream's server does not take, word for word: each was asked of kube-apiserver 1.35.0. */
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

const core = (resource: string): string => `/api/v1/namespaces/default/${resource}`;
const apps = (resource: string): string => `/apis/apps/v1/namespaces/default/${resource}`;
const batch = (resource: string): string => `/apis/batch/v1/namespaces/default/${resource}`;
const networking = (resource: string): string => `/apis/networking.k8s.io/v1/namespaces/default/${resource}`;

const metadata = { name: "v" };
const container = { name: "c", image: "x" };
const labels = { a: "b" };
const template = { metadata: { labels }, spec: { containers: [container] } };
const jobTemplate = { spec: { containers: [container], restartPolicy: "Never" } };

const pod = (spec: object): object => ({ metadata, spec: { containers: [container], ...spec } });
const service = (spec: object): object => ({ metadata, spec: { ports: [{ port: 80 }], ...spec } });
const workload = (spec: object): object => ({
  metadata,
  spec: { selector: { matchLabels: labels }, template, ...spec },
});
const job = (spec: object): object => ({ metadata, spec: { template: jobTemplate, ...spec } });
const cronJob = (spec: object): object => ({
  metadata,
  spec: { schedule: "* * * * *", jobTemplate: { spec: { template: jobTemplate } }, ...spec },
});

const cases: readonly (readonly [string, string, object, string])[] = [
  [
    "a Pod without containers",
    core("pods"),
    pod({ containers: [] }),
    'Pod "v" is invalid: spec.containers: Required value',
  ],
  [
    "a container's image with blanks",
    core("pods"),
    pod({ containers: [{ name: "c", image: " x" }] }),
    'Pod "v" is invalid: spec.containers[0].image: Invalid value: " x": must not have leading or trailing whitespace',
  ],
  [
    "two containers of one name",
    core("pods"),
    pod({ containers: [container, container] }),
    'Pod "v" is invalid: spec.containers[1].name: Duplicate value: "c"',
  ],
  [
    "an init container's probe",
    core("pods"),
    pod({ initContainers: [{ name: "i", image: "x", readinessProbe: { exec: { command: ["a"] } } }] }),
    'Pod "v" is invalid: spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers without restartPolicy=Always',
  ],
  [
    "a hook without a handler",
    core("pods"),
    pod({ containers: [{ ...container, lifecycle: { preStop: {} } }] }),
    'Pod "v" is invalid: spec.containers[0].lifecycle.preStop: Required value: must specify a handler type',
  ],
  [
    "a probe of two handlers",
    core("pods"),
    pod({ containers: [{ ...container, livenessProbe: { exec: { command: ["a"] }, tcpSocket: { port: 1 } } }] }),
    'Pod "v" is invalid: spec.containers[0].livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type',
  ],
  [
    "a new Pod's ephemeral containers",
    core("pods"),
    pod({ ephemeralContainers: [{ name: "e", image: "x" }] }),
    'Pod "v" is invalid: spec.ephemeralContainers: Forbidden: cannot be set on create',
  ],
  [
    "a gate and a node",
    core("pods"),
    pod({ schedulingGates: [{ name: "g" }], nodeName: "n" }),
    'Pod "v" is invalid: spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared',
  ],
  [
    "a reference to a field that no Pod has",
    core("pods"),
    pod({ containers: [{ ...container, env: [{ name: "E", valueFrom: { fieldRef: { fieldPath: "spec.x" } } }] }] }),
    'Pod "v" is invalid: spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.x": error converting fieldPath: field label not supported: spec.x',
  ],
  [
    "a mount of no volume",
    core("pods"),
    pod({ containers: [{ ...container, volumeMounts: [{ name: "v", mountPath: "/v" }] }] }),
    'Pod "v" is invalid: spec.containers[0].volumeMounts[0].name: Not found: "v"',
  ],
  [
    "a request over its limit",
    core("pods"),
    pod({ containers: [{ ...container, resources: { requests: { cpu: "2" }, limits: { cpu: "1" } } }] }),
    'Pod "v" is invalid: spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
  ],
  [
    "a toleration that is none",
    core("pods"),
    pod({ tolerations: [{ operator: "Exists", value: "x" }] }),
    'Pod "v" is invalid: spec.tolerations[0].operator: Invalid value: "x": value must be empty when `operator` is \'Exists\'',
  ],
  [
    "a Service without ports",
    core("services"),
    service({ ports: [] }),
    'Service "v" is invalid: spec.ports: Required value',
  ],
  [
    "an external address of the loopback",
    core("services"),
    service({ externalIPs: ["127.0.0.1"] }),
    'Service "v" is invalid: spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
  ],
  [
    "a Service's unknown type",
    core("services"),
    service({ type: "Foo" }),
    'Service "v" is invalid: spec.type: Unsupported value: "Foo": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
  ],
  [
    "a Deployment without a selector",
    apps("deployments"),
    { metadata, spec: { template } },
    'Deployment.apps "v" is invalid: [spec.selector: Required value, spec.template.metadata.labels: Invalid value: {"a":"b"}: `selector` does not match template `labels`]',
  ],
  [
    "a selector that its template does not match",
    apps("deployments"),
    workload({ selector: { matchLabels: { x: "y" } } }),
    'Deployment.apps "v" is invalid: spec.template.metadata.labels: Invalid value: {"a":"b"}: `selector` does not match template `labels`',
  ],
  [
    "a negative number of replicas",
    apps("replicasets"),
    workload({ replicas: -1 }),
    'ReplicaSet.apps "v" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
  ],
  [
    "a StatefulSet's unknown policy",
    apps("statefulsets"),
    workload({ podManagementPolicy: "X", serviceName: "s" }),
    "StatefulSet.apps \"v\" is invalid: spec.podManagementPolicy: Invalid value: \"X\": must be 'OrderedReady' or 'Parallel'",
  ],
  [
    "a DaemonSet's Pods that end",
    apps("daemonsets"),
    workload({ template: { metadata: { labels }, spec: { containers: [container], restartPolicy: "Never" } } }),
    'DaemonSet.apps "v" is invalid: spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
  ],
  [
    "a Job's Pods that restart always",
    batch("jobs"),
    job({ template: { spec: { containers: [container] } } }),
    'Job.batch "v" is invalid: spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
  ],
  [
    "a Job's negative numbers",
    batch("jobs"),
    job({ parallelism: -1, backoffLimit: -1 }),
    'Job.batch "v" is invalid: [spec.parallelism: Invalid value: -1: must be greater than or equal to 0, spec.backoffLimit: Invalid value: -1: must be greater than or equal to 0]',
  ],
  [
    "a CronJob's long name",
    batch("cronjobs"),
    { ...cronJob({}), metadata: { name: "a".repeat(53) } },
    'CronJob.batch "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" is invalid: metadata.name: Invalid value: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa": must be no more than 52 characters',
  ],
  [
    "a CronJob's schedule",
    batch("cronjobs"),
    cronJob({ schedule: "x" }),
    'CronJob.batch "v" is invalid: spec.schedule: Invalid value: "x": expected exactly 5 fields, found 1: [x]',
  ],
  [
    "an Ingress of nothing",
    networking("ingresses"),
    { metadata, spec: {} },
    'Ingress.networking.k8s.io "v" is invalid: spec: Invalid value: null: either `defaultBackend` or `rules` must be specified',
  ],
  [
    "an Ingress's path",
    networking("ingresses"),
    {
      metadata,
      spec: {
        rules: [
          {
            http: {
              paths: [{ path: "x", pathType: "Prefix", backend: { service: { name: "s", port: { number: 80 } } } }],
            },
          },
        ],
      },
    },
    'Ingress.networking.k8s.io "v" is invalid: spec.rules[0].http.paths[0].path: Invalid value: "x": must be an absolute path',
  ],
  [
    "an Ingress's class of a bad name",
    networking("ingresses"),
    { metadata, spec: { ingressClassName: "A_", defaultBackend: { service: { name: "s", port: { number: 80 } } } } },
    "Ingress.networking.k8s.io \"v\" is invalid: spec.ingressClassName: Invalid value: \"A_\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
  ],
];

for (const [what, path, body, message] of cases) {
  test(`${what} is refused in upstream's words`, async () => {
    const answer = await ask(path, { method: "POST", body });
    assert.equal(answer.code, 422, answer.text);
    const { reason, message: said } = answer.json as { readonly reason: string; readonly message: string };
    assert.deepEqual([reason, said], ["Invalid", message]);
  });
}
