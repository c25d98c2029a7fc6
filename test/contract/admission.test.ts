/** What is completed and what is refused before it is stored, in upstream's words; with the controllers that follow it. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import type { CertificateSigningRequest, Container, Pod, PodSpec } from "../../src/api/generated/types.ts";
import { resources } from "../../src/api/resources.ts";
import type { ApiClient } from "../../src/client/index.ts";
import { certificationRequest } from "./certification-request.ts";
import { startTestServer } from "./api-server.ts";
import type { TestServer } from "./api-server.ts";
import { startControllers } from "./controllers.ts";
import { eventually } from "./eventually.ts";
import { messageOf, refusalOf } from "./refusal.ts";

let started: TestServer | undefined;
let stopControllers: (() => Promise<void>) | undefined;

before(async () => {
  started = await startTestServer();
  stopControllers = await startControllers(started);
});

after(async () => {
  await stopControllers?.();
  await started?.close();
});

function as(name: string, ...groups: readonly string[]): ApiClient {
  if (started === undefined) throw new Error("the test server did not start");
  return started.server.client({ name, groups: [...groups, "system:authenticated"] });
}
const admin = (): ApiClient => as("root", "system:masters");

/** A namespace with its service account. */
async function namespace(name: string, labels: Readonly<Record<string, string>> = {}): Promise<string> {
  await admin().create(resources.namespaces, { metadata: { name, labels } });
  await eventually("the namespace has its account", async () => {
    const { items } = await admin().list(resources.serviceAccounts, { namespace: name });
    return items[0];
  });
  return name;
}

const container = (more: Partial<Container> = {}): Container => ({ name: "c", image: "nginx", ...more });

function pod(namespaceName: string, name: string, spec: Partial<PodSpec> = {}): Pod {
  return { metadata: { namespace: namespaceName, name }, spec: { containers: [container()], ...spec } };
}

async function run(created: Pod, isReady = true): Promise<void> {
  const { namespace: of = "", name = "" } = created.metadata ?? {};
  const conditions = [
    { type: "Ready", status: isReady ? "True" : "False", lastTransitionTime: "2026-01-01T00:00:00Z" },
  ];
  const body = { status: { phase: "Running", conditions } };
  await admin().patch(resources.pods, { namespace: of, name }, { type: "merge", body }, { subresource: "status" });
}

test("a limit range completes what containers do not say, and says that it did", async () => {
  const of = await namespace("limited");
  await admin().create(resources.limitRanges, {
    metadata: { namespace: of, name: "sizes" },
    spec: {
      limits: [
        {
          type: "Container",
          default: { cpu: "500m", memory: "64Mi" },
          defaultRequest: { cpu: "100m" },
          max: { cpu: "1", memory: "128Mi" },
          min: { cpu: "50m" },
        },
      ],
    },
  });
  const { spec, metadata } = await admin().create(resources.pods, pod(of, "plain"));
  assert.deepEqual(spec?.containers[0]?.resources, {
    limits: { cpu: "500m", memory: "64Mi" },
    requests: { cpu: "100m", memory: "64Mi" },
  });
  assert.equal(
    metadata?.annotations?.["kubernetes.io/limit-ranger"],
    "LimitRanger plugin set: cpu, memory request for container c; cpu, memory limit for container c",
  );
  const large = container({ resources: { limits: { cpu: "2", memory: "1Gi" } } });
  assert.equal(
    await messageOf(admin().create(resources.pods, pod(of, "large", { containers: [large] }))),
    'pods "large" is forbidden: [maximum cpu usage per Container is 1, but limit is 2, maximum memory usage per Container is 128Mi, but limit is 1Gi]',
  );
  const small = container({ resources: { requests: { cpu: "10m" } } });
  assert.equal(
    await messageOf(admin().create(resources.pods, pod(of, "small", { containers: [small] }))),
    'pods "small" is forbidden: minimum cpu usage per Container is 50m, but request is 10m',
  );
});

test("a quota refuses what is too much, and takes back what goes", async () => {
  const of = await namespace("counted");
  const hard = { pods: "2", "requests.cpu": "1", "count/configmaps": "10", "services.nodeports": "1" };
  await admin().create(resources.resourceQuotas, { metadata: { namespace: of, name: "q" }, spec: { hard } });
  const quota = () => admin().get(resources.resourceQuotas, { namespace: of, name: "q" });
  await eventually("the quota is counted", async () => (await quota()).status?.hard);
  assert.equal(
    await messageOf(admin().create(resources.pods, pod(of, "silent"))),
    'pods "silent" is forbidden: failed quota: q: must specify requests.cpu for: c',
  );
  const asking = (cpu: string) => ({ containers: [container({ resources: { requests: { cpu } } })] });
  // At once: the last of it is given to one of them.
  const outcomes = await Promise.allSettled(
    ["a", "b", "c"].map((name) => admin().create(resources.pods, pod(of, name, asking("600m")))),
  );
  assert.deepEqual(outcomes.map(({ status }) => status).toSorted(), ["fulfilled", "rejected", "rejected"]);
  assert.equal(
    await messageOf(admin().create(resources.pods, pod(of, "d", asking("600m")))),
    'pods "d" is forbidden: exceeded quota: q, requested: requests.cpu=600m, used: requests.cpu=600m, limited: requests.cpu=1',
  );
  assert.equal((await quota()).status?.used?.["requests.cpu"], "600m");
  const won = outcomes.findIndex(({ status }) => status === "fulfilled");
  await admin().delete(resources.pods, { namespace: of, name: ["a", "b", "c"][won] ?? "" });
  await eventually("what it used is free again", async () => (await quota()).status?.used?.["pods"] === "0");
  const service = (name: string) => ({
    metadata: { namespace: of, name },
    spec: { type: "NodePort" as const, ports: [{ port: 80 }] },
  });
  await admin().create(resources.services, service("one"));
  assert.match(
    await messageOf(admin().create(resources.services, service("two"))),
    /^services "two" is forbidden: exceeded quota: q, requested: services.nodeports=1, used: services.nodeports=1, limited: services.nodeports=1$/,
  );
});

test("a quota with scopes counts only what is in them", async () => {
  const of = await namespace("scoped");
  const spec = { hard: { pods: "0" }, scopes: ["BestEffort"] };
  await admin().create(resources.resourceQuotas, { metadata: { namespace: of, name: "q" }, spec });
  await eventually("the quota is counted", async () => {
    return (await admin().get(resources.resourceQuotas, { namespace: of, name: "q" })).status?.hard;
  });
  const sized = container({ resources: { requests: { cpu: "1m" } } });
  await admin().create(resources.pods, pod(of, "sized", { containers: [sized] }));
  assert.match(await messageOf(admin().create(resources.pods, pod(of, "best"))), /exceeded quota: q/);
});

test("an eviction waits where the budget has no pod to spare", async () => {
  const of = await namespace("budgeted");
  const labels = { app: "web" };
  await admin().create(resources.podDisruptionBudgets, {
    metadata: { namespace: of, name: "web" },
    spec: { minAvailable: 1, selector: { matchLabels: labels } },
  });
  for (const name of ["one", "two"]) {
    const made = pod(of, name, { nodeName: "n" });
    await run(await admin().create(resources.pods, { ...made, metadata: { ...made.metadata, labels } }));
  }
  const budget = () => admin().get(resources.podDisruptionBudgets, { namespace: of, name: "web" });
  await eventually("one may go", async () => (await budget()).status?.disruptionsAllowed === 1);
  const evict = (name: string): Promise<unknown> =>
    admin().createSubresource(resources.pods, { namespace: of, name }, "eviction", { metadata: { name } });
  await evict("one");
  const one = await admin().get(resources.pods, { namespace: of, name: "one" });
  assert.ok(one.metadata?.deletionTimestamp !== undefined);
  assert.ok(
    one.status?.conditions?.some(
      ({ type, reason }) => type === "DisruptionTarget" && reason === "EvictionByEvictionAPI",
    ),
  );
  const refused = await refusalOf(evict("two"));
  assert.equal(refused.code, 429);
  assert.equal(refused.message, "Cannot evict pod as it would violate the pod's disruption budget.");
  await eventually("the budget is counted anew", async () => {
    const { status } = await budget();
    return status?.currentHealthy === 1 && status.disruptedPods === undefined;
  });
  const again = await refusalOf(evict("two"));
  assert.deepEqual(again.status.details?.causes, [
    { reason: "DisruptionBudget", message: "The disruption budget web needs 1 healthy pods and has 1 currently" },
  ]);
});

test("a namespace's level of pod security holds pods back, and warns of templates", async () => {
  const of = await namespace("hardened", { "pod-security.kubernetes.io/enforce": "restricted" });
  assert.equal(
    await messageOf(admin().create(resources.pods, pod(of, "loose"))),
    'pods "loose" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
  );
  const securityContext = { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } };
  const good = container({ securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } } });
  await admin().create(resources.pods, pod(of, "good", { securityContext, containers: [good] }));
  const other = await namespace("basic", { "pod-security.kubernetes.io/enforce": "baseline" });
  const bad = container({ securityContext: { privileged: true }, ports: [{ containerPort: 80, hostPort: 80 }] });
  assert.equal(
    (await refusalOf(admin().create(resources.pods, pod(other, "bad", { containers: [bad], hostNetwork: true }))))
      .message,
    'pods "bad" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true), hostPort (container "c" uses hostPort 80), privileged (container "c" must not set securityContext.privileged=true)',
  );
});

test("classes and priorities are filled in from those marked as default", async () => {
  const of = await namespace("classes");
  await admin().create(resources.ingressClasses, {
    metadata: { name: "nginx", annotations: { "ingressclass.kubernetes.io/is-default-class": "true" } },
    spec: { controller: "example.com/ingress" },
  });
  const backend = { service: { name: "web", port: { number: 80 } } };
  const ingress = await admin().create(resources.ingresses, {
    metadata: { namespace: of, name: "web" },
    spec: { defaultBackend: backend },
  });
  assert.equal(ingress.spec?.ingressClassName, "nginx");
  await admin().create(resources.storageClasses, {
    metadata: { name: "fast", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
    provisioner: "example.com/disks",
  });
  const claim = await admin().create(resources.persistentVolumeClaims, {
    metadata: { namespace: of, name: "data" },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
  });
  assert.equal(claim.spec?.storageClassName, "fast");
  const critical = await admin().get(resources.priorityClasses, { name: "system-node-critical" });
  assert.equal(critical.value, 2_000_001_000);
  await admin().create(resources.priorityClasses, { metadata: { name: "usual" }, value: 7, globalDefault: true });
  assert.equal((await admin().create(resources.pods, pod(of, "usual"))).spec?.priority, 7);
  assert.equal(
    (
      await refusalOf(
        admin().create(resources.priorityClasses, { metadata: { name: "b" }, value: 8, globalDefault: true }),
      )
    ).message,
    'priorityclasses.scheduling.k8s.io "b" is forbidden: PriorityClass usual is already marked as default. Only one default can exist',
  );
  await admin().delete(resources.priorityClasses, { name: "usual" });
});

test("a pod keeps its patience with sick nodes when its tolerations are set anew, and may wait another time", async () => {
  const of = await namespace("tolerations");
  const created = await admin().create(resources.pods, pod(of, "web"));
  const known = created.spec?.tolerations ?? [];
  assert.deepEqual(
    known.map(({ key, tolerationSeconds }) => [key, tolerationSeconds]),
    [
      ["node.kubernetes.io/not-ready", 300],
      ["node.kubernetes.io/unreachable", 300],
    ],
  );
  const mine = { key: "mine", operator: "Exists", effect: "NoSchedule" };
  const spec = { ...created.spec, containers: created.spec?.containers ?? [], tolerations: [mine] };
  const anew = await admin().update(resources.pods, { ...created, spec });
  assert.deepEqual(anew.spec?.tolerations, [mine, ...known]);
  const impatient = (anew.spec?.tolerations ?? []).map((each) =>
    each.key === "mine" ? each : { ...each, tolerationSeconds: 5 },
  );
  const changed = await admin().update(resources.pods, { ...anew, spec: { ...spec, tolerations: impatient } });
  assert.deepEqual(changed.spec?.tolerations, impatient);
  const { message } = await refusalOf(
    admin().update(resources.pods, { ...changed, spec: { ...spec, tolerations: impatient.slice(1) } }),
  );
  assert.match(message, /existing toleration can not be modified except its tolerationSeconds/);
});

const csr = (name: string, more: Pick<CertificateSigningRequest["spec"], "signerName" | "usages" | "request">) => ({
  metadata: { name },
  spec: more,
});
const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });

async function approve(client: ApiClient, name: string): Promise<void> {
  const request = await client.get(resources.certificateSigningRequests, { name });
  const conditions = [{ type: "Approved", status: "True", reason: "Test" }];
  await client.update(
    resources.certificateSigningRequests,
    { ...request, status: { conditions } },
    { subresource: "approval" },
  );
}

test("a granted request is signed, for its requester and with what was asked", async () => {
  const request = certificationRequest({ commonName: "jane", organizations: ["devs"], privateKey });
  const signerName = "kubernetes.io/kube-apiserver-client";
  const made = await admin().create(
    resources.certificateSigningRequests,
    csr("jane", { signerName, usages: ["client auth"], request }),
  );
  assert.equal(made.spec.username, "root");
  await approve(admin(), "jane");
  const certificate = await eventually("it is signed", async () => {
    return (await admin().get(resources.certificateSigningRequests, { name: "jane" })).status?.certificate;
  });
  const parsed = new X509Certificate(Buffer.from(certificate, "base64"));
  assert.equal(parsed.subject, "O=devs\nCN=jane");
  assert.ok(parsed.checkPrivateKey(privateKey));
  assert.deepEqual(parsed.keyUsage, ["1.3.6.1.5.5.7.3.2"]);
});

test("requests that must not be granted are refused", async () => {
  const signerName = "kubernetes.io/kube-apiserver-client";
  const request = certificationRequest({ commonName: "x", organizations: ["system:masters"], privateKey });
  assert.equal(
    (
      await refusalOf(
        admin().create(
          resources.certificateSigningRequests,
          csr("x", { signerName, usages: ["client auth"], request }),
        ),
      )
    ).message,
    'certificatesigningrequests.certificates.k8s.io "x" is forbidden: use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed',
  );
  await admin().create(resources.clusterRoles, {
    metadata: { name: "approves-alone" },
    rules: [
      {
        apiGroups: ["certificates.k8s.io"],
        resources: ["certificatesigningrequests", "certificatesigningrequests/approval"],
        verbs: ["get", "create", "update"],
      },
    ],
  });
  await admin().create(resources.clusterRoleBindings, {
    metadata: { name: "approves-alone" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "approves-alone" },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "eve" }],
  });
  const own = certificationRequest({ commonName: "eve", organizations: [], privateKey });
  const eve = as("eve");
  await eve.create(
    resources.certificateSigningRequests,
    csr("eve", { signerName, usages: ["client auth"], request: own }),
  );
  assert.equal(
    await messageOf(approve(eve, "eve")),
    'certificatesigningrequests.certificates.k8s.io "eve" is forbidden: user not permitted to approve requests with signerName "kubernetes.io/kube-apiserver-client"',
  );
});

test("a node's own client certificate is granted by itself; one that breaks the signer's rules fails", async () => {
  const signerName = "kubernetes.io/kube-apiserver-client-kubelet";
  const usages = ["digital signature", "client auth"];
  const name = "system:node:n1";
  const request = certificationRequest({ commonName: name, organizations: ["system:nodes"], privateKey });
  await as(name, "system:nodes").create(
    resources.certificateSigningRequests,
    csr("n1", { signerName, usages, request }),
  );
  await eventually("it is signed", async () => {
    return (await admin().get(resources.certificateSigningRequests, { name: "n1" })).status?.certificate;
  });
  const other = certificationRequest({ commonName: "system:node:n2", organizations: ["system:nodes"], privateKey });
  const stolen = csr("n2", { signerName, usages, request: other });
  assert.match(
    await messageOf(as(name, "system:nodes").create(resources.certificateSigningRequests, stolen)),
    /can only create a node CSR with CN=system:node:n1$/,
  );
  const serving = certificationRequest({ commonName: name, organizations: ["system:nodes"], privateKey });
  await admin().create(
    resources.certificateSigningRequests,
    csr("serving", {
      signerName: "kubernetes.io/kubelet-serving",
      usages: ["digital signature", "server auth"],
      request: serving,
    }),
  );
  await approve(admin(), "serving");
  const failed = await eventually("it fails", async () => {
    const { status } = await admin().get(resources.certificateSigningRequests, { name: "serving" });
    return status?.conditions?.find(({ type }) => type === "Failed");
  });
  assert.equal(failed.reason, "SignerValidationFailure");
  assert.equal(failed.message, "DNS or IP subjectAltName is required");
});
