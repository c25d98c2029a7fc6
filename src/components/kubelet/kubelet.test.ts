import assert from "node:assert/strict";
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { resources } from "../../api/resources.ts";
import { createMetricsRegistry, lintMetrics } from "../../machinery/metrics/index.ts";
import { readMachine } from "./node/machine.ts";
import { startKubelet } from "./testing.ts";

const nginx = { name: "web", image: "nginx" };

test("the kubelet registers its node, says that it is ready and renews its lease", async () => {
  const rig = await startKubelet();
  const node = rig.client.peek(resources.nodes, { name: "node-1" });
  assert.equal(node?.spec?.podCIDR, "10.244.1.0/24");
  assert.equal(node?.metadata?.labels?.["node-role.kubernetes.io/control-plane"], "");
  assert.deepEqual(
    node?.status?.conditions?.map(({ type, status }) => `${type}=${status}`),
    ["MemoryPressure=False", "DiskPressure=False", "PIDPressure=False", "Ready=True"],
  );
  const lease = (): string | undefined =>
    rig.client.peek(resources.leases, { namespace: "kube-node-lease", name: "node-1" })?.spec?.renewTime;
  const before = lease();
  await rig.clock.advance(10_000);
  assert.ok(before !== undefined && lease() !== undefined && String(lease()) > before);
  await rig.close();
});

test("a pod bound to the node runs and reports the status upstream's would", async () => {
  const rig = await startKubelet();
  await rig.createPod("web", { containers: [nginx] });
  const status = rig.pod("web")?.status;
  assert.equal(status?.phase, "Running");
  assert.equal(status?.podIP, "10.244.1.2");
  assert.equal(status?.hostIP, "192.168.60.11");
  const conditions = Object.fromEntries((status?.conditions ?? []).map(({ type, status: is }) => [type, is]));
  assert.deepEqual(conditions, {
    PodReadyToStartContainers: "True",
    Initialized: "True",
    Ready: "True",
    ContainersReady: "True",
    PodScheduled: "True",
  });
  const [container] = status?.containerStatuses ?? [];
  assert.equal(container?.ready, true);
  assert.equal(container?.started, true);
  assert.equal(container?.image, "docker.io/library/nginx:latest");
  assert.match(container?.containerID ?? "", /^crun:\/\/[0-9a-f]{64}$/);
  assert.equal(container?.state?.running?.startedAt, "2026-01-01T00:00:00Z");
  assert.deepEqual(rig.events("web"), [
    'Pulling: Pulling image "nginx"',
    'Pulled: Successfully pulled image "nginx" in 0ms (0ms including waiting). Image size: 0 bytes.',
    "Created: Container created",
    "Started: Container started",
  ]);
  await rig.close();
});

test("a pod's files name it as its containers expect", async () => {
  const rig = await startKubelet();
  const pod = await rig.createPod("web", { containers: [nginx], subdomain: "sub", hostname: "first" });
  const dir = `${rig.nodeRoot}/var/lib/kubelet/pods/${pod.metadata?.uid}`;
  assert.match(
    readFileSync(`${dir}/etc-hosts`, "utf8"),
    /^10\.244\.1\.2\tfirst\.sub\.default\.svc\.cluster\.local\tfirst$/m,
  );
  assert.equal(readFileSync(`${dir}/etc-hostname`, "utf8"), "first\n");
  assert.equal(
    readFileSync(`${dir}/resolv.conf`, "utf8"),
    "search default.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n",
  );
  const [spec] = rig.runtime.started;
  assert.deepEqual(
    spec?.mounts.map(({ target }) => target),
    ["/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/dev/termination-log"],
  );
  assert.equal(spec?.networkNamespacePath, `/run/netns/pod-${pod.metadata?.uid}`);
  await rig.close();
});

test("a deleted pod ends with its process, its network and its object", async () => {
  const rig = await startKubelet();
  await rig.createPod("web", { containers: [nginx] });
  await rig.client.delete(resources.pods, { namespace: "default", name: "web" });
  await rig.until(() => rig.pod("web") === undefined);
  assert.deepEqual([...rig.attached], []);
  assert.deepEqual(await rig.runtime.list(), []);
  assert.ok(rig.events("web").includes("Killing: Stopping container web"));
  await rig.close();
});

test("a pod that a Service sends connections to lives on for a moment, until the rules have followed", async () => {
  const rig = await startKubelet();
  await rig.client.create(resources.services, {
    metadata: { namespace: "default", name: "web" },
    spec: { selector: { app: "web" }, ports: [{ port: 80 }] },
  });
  for (const [name, labels] of [
    ["served", { app: "web" }],
    ["alone", { app: "other" }],
  ] as const) {
    await rig.createPod(name, { containers: [nginx] }, { labels });
  }
  await rig.until(() => ["served", "alone"].every((name) => rig.pod(name)?.status?.phase === "Running"));
  for (const name of ["served", "alone"]) await rig.client.delete(resources.pods, { namespace: "default", name });
  await rig.until(() => rig.pod("alone") === undefined);
  assert.equal(rig.pod("served")?.status?.containerStatuses?.[0]?.state?.running !== undefined, true);
  await rig.clock.advance(300);
  await rig.until(() => rig.pod("served") === undefined);
  await rig.close();
});

test("a process that ignores the stop signal is killed when the grace period is over", async () => {
  const rig = await startKubelet();
  await rig.createPod("stubborn", { containers: [{ name: "sh", image: "busybox" }] });
  await rig.client.delete(resources.pods, { namespace: "default", name: "stubborn" }, { gracePeriodSeconds: 5 });
  await rig.clock.advance(4900);
  assert.notEqual(rig.pod("stubborn"), undefined);
  await rig.clock.advance(200);
  await rig.until(() => rig.pod("stubborn") === undefined);
  await rig.close();
});

test("a crashing container is restarted at once, then after 10 s, then after 20 s", async () => {
  const rig = await startKubelet();
  await rig.createPod("crash", { containers: [{ name: "main", image: "busybox", command: ["false"] }] });
  const count = (): number => rig.runtime.started.length;
  assert.equal(count(), 2);
  await rig.clock.advance(1000);
  const status = (): string | undefined => rig.pod("crash")?.status?.containerStatuses?.[0]?.state?.waiting?.reason;
  assert.equal(status(), "CrashLoopBackOff");
  const [container] = rig.pod("crash")?.status?.containerStatuses ?? [];
  assert.match(
    container?.state?.waiting?.message ?? "",
    /^back-off 10s restarting failed container=main pod=crash_default\(.+\)$/,
  );
  assert.equal(container?.lastState?.terminated?.exitCode, 1);
  assert.equal(container?.restartCount, 1);
  assert.equal(rig.pod("crash")?.status?.phase, "Running");
  await rig.clock.advance(9000);
  assert.equal(count(), 3);
  await rig.clock.advance(19_900);
  assert.equal(count(), 3);
  await rig.clock.advance(200);
  assert.equal(count(), 4);
  assert.ok(
    rig
      .events("crash")
      .some((text) => text.startsWith("BackOff: Back-off restarting failed container main in pod crash_default(")),
  );
  await rig.close();
});

test("a pod that runs once succeeds or fails by its exit codes", async () => {
  const rig = await startKubelet();
  const once = { restartPolicy: "Never" };
  await rig.createPod("good", { ...once, containers: [{ name: "main", image: "busybox", command: ["true"] }] });
  await rig.createPod("bad", { ...once, containers: [{ name: "main", image: "busybox", command: ["false"] }] });
  assert.equal(rig.pod("good")?.status?.phase, "Succeeded");
  assert.equal(rig.pod("good")?.status?.containerStatuses?.[0]?.state?.terminated?.reason, "Completed");
  const ready = rig.pod("good")?.status?.conditions?.find(({ type }) => type === "Ready");
  assert.deepEqual([ready?.status, ready?.reason], ["False", "PodCompleted"]);
  assert.equal(rig.pod("bad")?.status?.phase, "Failed");
  assert.equal(rig.pod("bad")?.status?.containerStatuses?.[0]?.state?.terminated?.exitCode, 1);
  assert.deepEqual([...rig.attached], []);
  await rig.close();
});

test("init containers run one after the other before the main ones, sidecars beside them", async () => {
  const rig = await startKubelet();
  await rig.createPod("app", {
    initContainers: [
      { name: "first", image: "busybox", command: ["sleep", "5"] },
      { name: "proxy", image: "nginx", restartPolicy: "Always" },
      { name: "second", image: "busybox", command: ["true"] },
    ],
    containers: [nginx],
  });
  const names = (): readonly string[] => rig.runtime.started.map(({ name }) => name);
  assert.deepEqual(names(), ["first"]);
  const status = rig.pod("app")?.status;
  assert.equal(status?.containerStatuses?.[0]?.state?.waiting?.reason, "PodInitializing");
  const initialized = status?.conditions?.find(({ type }) => type === "Initialized");
  assert.equal(initialized?.message, "containers with incomplete status: [first proxy second]");
  await rig.clock.advance(5000);
  assert.deepEqual(names(), ["first", "proxy", "second", "web"]);
  assert.equal(rig.pod("app")?.status?.phase, "Running");
  assert.equal(rig.pod("app")?.status?.conditions?.find(({ type }) => type === "Ready")?.status, "True");
  await rig.close();
});

test("an unknown image ends in ErrImagePull and ImagePullBackOff", async () => {
  const rig = await startKubelet();
  await rig.createPod("lost", { containers: [{ name: "main", image: "nowhere/nothing" }] });
  const waiting = (): string | undefined => rig.pod("lost")?.status?.containerStatuses?.[0]?.state?.waiting?.reason;
  assert.equal(waiting(), "ErrImagePull");
  await rig.clock.advance(1000);
  assert.equal(waiting(), "ImagePullBackOff");
  await rig.clock.advance(9000);
  assert.equal(waiting(), "ErrImagePull");
  const events = rig.events("lost");
  assert.ok(events.includes('Pulling: Pulling image "nowhere/nothing"'));
  assert.ok(events.includes("Failed: Error: ErrImagePull"));
  assert.ok(events.includes('BackOff: Back-off pulling image "nowhere/nothing"'));
  assert.ok(events.includes("Failed: Error: ImagePullBackOff"));
  assert.equal(rig.pod("lost")?.status?.phase, "Pending");
  await rig.close();
});

test("a missing ConfigMap keeps the container waiting until it is there", async () => {
  const rig = await startKubelet();
  const env = [{ name: "MODE", valueFrom: { configMapKeyRef: { name: "settings", key: "mode" } } }];
  await rig.createPod("app", { containers: [{ ...nginx, env }] });
  const state = rig.pod("app")?.status?.containerStatuses?.[0]?.state;
  assert.deepEqual(state?.waiting, { reason: "CreateContainerConfigError", message: 'configmap "settings" not found' });
  await rig.client.create(resources.configMaps, {
    metadata: { name: "settings", namespace: "default" },
    data: { mode: "fast" },
  });
  await rig.clock.advance(10_000);
  assert.ok(rig.runtime.started[0]?.env.includes("MODE=fast"));
  await rig.close();
});

test("a restarted agent leaves alone what containers have written into their /etc/hosts", async () => {
  const rig = await startKubelet();
  const pod = await rig.createPod("web", { containers: [nginx] });
  const hosts = `${rig.nodeRoot}/var/lib/kubelet/pods/${pod.metadata?.uid}/etc-hosts`;
  appendFileSync(hosts, "10.0.0.1\tby-hand\n");
  await rig.restart();
  assert.match(readFileSync(hosts, "utf8"), /\tby-hand\n$/);
  await rig.close();
});

test("a container restarted in the node's network gets the node's /etc/hosts of now, a running one keeps its own", async () => {
  const rig = await startKubelet();
  const nodeHosts = `${rig.nodeRoot}/etc/hosts`;
  mkdirSync(`${rig.nodeRoot}/etc`, { recursive: true });
  writeFileSync(nodeHosts, "192.168.60.11\tnode-1\n");
  const runs = await rig.createPod("runs", { hostNetwork: true, containers: [nginx] });
  const crashing = { name: "main", image: "busybox", command: ["false"] };
  const crashes = await rig.createPod("crashes", { hostNetwork: true, containers: [crashing] });
  const hostsOf = ({ metadata }: typeof runs): string =>
    readFileSync(`${rig.nodeRoot}/var/lib/kubelet/pods/${metadata?.uid}/etc-hosts`, "utf8");
  for (const pod of [runs, crashes]) assert.doesNotMatch(hostsOf(pod), /node-2/);
  appendFileSync(nodeHosts, "192.168.60.12\tnode-2\n");
  await rig.clock.advance(11_000);
  await rig.until(() => hostsOf(crashes).includes("\tnode-2\n"));
  assert.doesNotMatch(hostsOf(runs), /node-2/);
  await rig.close();
});

test("a restarted agent finds its pods again and restarts nothing", async () => {
  const rig = await startKubelet();
  await rig.createPod("web", { containers: [nginx] });
  const before = rig.pod("web");
  await rig.restart();
  assert.deepEqual(rig.pod("web"), before);
  assert.equal(rig.runtime.started.length, 1);
  await rig.client.delete(resources.pods, { namespace: "default", name: "web" });
  await rig.until(() => rig.pod("web") === undefined);
  assert.deepEqual(await rig.runtime.list(), []);
  await rig.close();
});

test("what runs of a pod that was removed while the agent was away is stopped", async () => {
  const rig = await startKubelet();
  await rig.createPod("web", { containers: [nginx] });
  const stopped = rig.restart();
  rig.client.remove(resources.pods, { namespace: "default", name: "web" });
  await stopped;
  await rig.until(() => rig.attached.size === 0);
  assert.deepEqual(await rig.runtime.list(), []);
  await rig.close();
});

test("files of pods that no one knows any more are removed when the agent starts, those of others stay", async () => {
  const rig = await startKubelet();
  await rig.createPod("web", { containers: [nginx] });
  const uid = rig.pod("web")?.metadata?.uid ?? "";
  const [dirs, logs] = ["var/lib/kubelet/pods", "var/log/pods"].map((path) => join(rig.nodeRoot, path));
  const folders = [`${dirs}/gone/volumes/kubernetes.io~secret/token`, `${logs}/default_old_gone/main`];
  for (const folder of [...folders, `${logs}/default_web_${uid}/main`]) mkdirSync(folder, { recursive: true });
  await rig.restart();
  await rig.until(() => !existsSync(`${dirs}/gone`) && !existsSync(`${logs}/default_old_gone`));
  assert.deepEqual(readdirSync(dirs ?? ""), [uid]);
  assert.deepEqual(readdirSync(logs ?? ""), [`default_web_${uid}`]);
  await rig.close();
});

test("of two pods with the same host port on the node the second is refused", async () => {
  const rig = await startKubelet();
  const containers = [{ ...nginx, ports: [{ containerPort: 80, hostPort: 8080 }] }];
  await rig.createPod("first", { containers });
  await rig.createPod("second", { containers });
  assert.equal(rig.pod("first")?.status?.phase, "Running");
  assert.equal(rig.pod("second")?.status?.phase, "Failed");
  assert.equal(rig.pod("second")?.status?.reason, "NodePorts");
  await rig.close();
});

test("a pod that names its node is refused where the node has not enough left for it", async () => {
  const rig = await startKubelet();
  const { cpus } = readMachine("/");
  const asking = (requests: Readonly<Record<string, string>>) => ({
    containers: [{ ...nginx, resources: { requests } }],
  });
  await rig.createPod("first", asking({ cpu: `${cpus * 1000 - 500}m` }));
  await rig.createPod("second", asking({ cpu: "501m" }));
  await rig.createPod("third", asking({ cpu: "500m" }));
  await rig.createPod("fourth", asking({ memory: "1Pi" }));
  assert.equal(rig.pod("first")?.status?.phase, "Running");
  assert.deepEqual(
    [rig.pod("second")?.status?.phase, rig.pod("second")?.status?.reason, rig.pod("second")?.status?.message],
    [
      "Failed",
      "OutOfcpu",
      `Pod was rejected: Node didn't have enough resource: cpu, requested: 501, used: ${cpus * 1000 - 500}, capacity: ${cpus * 1000}`,
    ],
  );
  assert.equal(rig.pod("third")?.status?.phase, "Running");
  assert.equal(rig.pod("fourth")?.status?.reason, "OutOfmemory");
  await rig.close();
});

test("volumes follow their ConfigMaps and Secrets without the clock moving", async () => {
  const rig = await startKubelet();
  const configMap = { metadata: { namespace: "default", name: "site" }, data: { page: "one" } };
  const secret = {
    metadata: { namespace: "default", name: "key" },
    data: { key: Buffer.from("1").toString("base64") },
  };
  const made = await rig.client.create(resources.configMaps, configMap);
  const madeSecret = await rig.client.create(resources.secrets, secret);
  const volumes = [
    { name: "site", configMap: { name: "site" } },
    { name: "all", projected: { sources: [{ secret: { name: "key" } }, { configMap: { name: "site" } }] } },
  ];
  const { metadata } = await rig.createPod("web", { containers: [nginx], volumes });
  const folder = join(rig.nodeRoot, "var/lib/kubelet/pods", metadata?.uid ?? "", "volumes");
  const read = (path: string): string => readFileSync(join(folder, path), "utf8");
  assert.equal(read("kubernetes.io~configmap/site/page"), "one");
  await rig.client.update(resources.configMaps, { ...made, data: { page: "two" } });
  await rig.until(() => read("kubernetes.io~configmap/site/page") === "two");
  await rig.until(() => read("kubernetes.io~projected/all/page") === "two");
  await rig.client.update(resources.secrets, { ...madeSecret, data: { key: Buffer.from("2").toString("base64") } });
  await rig.until(() => read("kubernetes.io~projected/all/key") === "2");
  await rig.close();
});

test("what a pod asks for and does not get is told", async () => {
  const rig = await startKubelet();
  await rig.createPod("shared", { containers: [nginx], shareProcessNamespace: true, hostIPC: true });
  await rig.createPod("plain", { containers: [nginx] });
  const told = (name: string) => rig.events(name).filter((text) => text.startsWith("NotSupported"));
  assert.deepEqual(told("shared"), [
    "NotSupported: shareProcessNamespace has no effect here: each container sees its own processes only",
    "NotSupported: hostIPC has no effect here: each container has its own System V IPC",
  ]);
  assert.deepEqual(told("plain"), []);
  assert.equal(rig.pod("shared")?.status?.phase, "Running");
  await rig.close();
});

test("the files of volumes belong to the pod's fsGroup, which may read them", async () => {
  const rig = await startKubelet();
  const secret = { metadata: { namespace: "default", name: "key" }, data: { key: "" } };
  await rig.client.create(resources.secrets, secret);
  const volumes = [
    { name: "key", secret: { secretName: "key", defaultMode: 0o400 } },
    { name: "work", emptyDir: {} },
  ];
  const gid = process.getgid?.() ?? 0;
  const securityContext = { fsGroup: process.getuid?.() === 0 ? 2000 : gid };
  const { metadata } = await rig.createPod("web", { containers: [nginx], volumes, securityContext });
  const folder = join(rig.nodeRoot, "var/lib/kubelet/pods", metadata?.uid ?? "", "volumes");
  const shown = (path: string): readonly string[] => {
    const { gid: group, mode } = statSync(join(folder, path));
    return [String(group), (mode & 0o7777).toString(8)];
  };
  const group = String(securityContext.fsGroup);
  assert.deepEqual(shown("kubernetes.io~secret/key/key"), [group, "440"]);
  assert.deepEqual(shown("kubernetes.io~empty-dir/work"), [group, "2777"]);
  await rig.close();
});

test("the parts of the control plane are shown as pods that nobody can do away with", async () => {
  const pod = {
    metadata: { name: "kube-apiserver-node-1", namespace: "kube-system" },
    spec: {
      nodeName: "node-1",
      hostNetwork: true,
      containers: [{ name: "kube-apiserver", image: "netloom/kube-apiserver" }],
    },
  };
  const rig = await startKubelet({ options: { mirrorPods: [{ pod, startedAtMs: Date.UTC(2026, 0, 1) }] } });
  const key = { namespace: "kube-system", name: "kube-apiserver-node-1" };
  await rig.settle();
  const first = rig.client.peek(resources.pods, key);
  assert.equal(first?.status?.phase, "Running");
  assert.equal(first?.status?.containerStatuses?.[0]?.ready, true);
  assert.equal(first?.metadata?.annotations?.["kubernetes.io/config.mirror"], "kube-apiserver-node-1");
  assert.deepEqual(rig.runtime.started, []);
  await rig.client.delete(resources.pods, key);
  await rig.until(() => {
    const now = rig.client.peek(resources.pods, key);
    return now?.status?.phase === "Running" && now.metadata?.uid !== first?.metadata?.uid;
  });
  await rig.close();
});

test("of a crashing container's ended runs only the last is kept", async () => {
  const rig = await startKubelet();
  await rig.createPod("crash", { containers: [{ name: "main", image: "busybox", command: ["false"] }] });
  await rig.clock.advance(35_000);
  assert.equal(rig.runtime.started.length, 4);
  await rig.until(() => rig.runtime.started.slice(0, 2).every(({ logPath }) => !existsSync(logPath)));
  const kept = (await rig.runtime.list()).map(({ attempt }) => attempt);
  assert.deepEqual(kept, [2, 3]);
  assert.deepEqual(
    rig.runtime.started.map(({ logPath }) => existsSync(logPath)),
    [false, false, true, true],
  );
  await rig.close();
});

test("counts and durations are measured under upstream's names", async () => {
  const metrics = createMetricsRegistry();
  const rig = await startKubelet({ options: { metrics } });
  await rig.createPod("web", { containers: [nginx] });
  const text = await metrics.metrics();
  assert.match(text, /^kubelet_running_pods\{node="node-1"\} 1$/m);
  assert.match(text, /^kubelet_running_containers\{node="node-1"\} 1$/m);
  assert.match(text, /^kubelet_started_containers_total 1$/m);
  assert.match(text, /^kubelet_pod_start_duration_seconds_count 1$/m);
  assert.deepEqual(lintMetrics(metrics), []);
  await rig.client.delete(resources.pods, { namespace: "default", name: "web" });
  await rig.until(() => rig.pod("web") === undefined);
  assert.match(await metrics.metrics(), /^kubelet_running_containers\{node="node-1"\} 0$/m);
  await rig.close();
});
