/** StatefulSets, DaemonSets, jobs and cron jobs with the real kubectl. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { eventually, makeLab } from "./lab/index.ts";

const lab = makeLab();

before(async () => {
  const up = await lab.netloom(["up", "--nodes", "3"]);
  assert.equal(up.code, 0, up.stderr);
});

after(async () => {
  await lab.end();
});

async function ok(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await lab.kubectl(args);
  assert.equal(code, 0, `kubectl ${args.join(" ")}: ${stderr}${stdout}`);
  return stdout;
}

async function apply(manifest: object): Promise<void> {
  const { code, stderr } = await lab.kubectl(["apply", "-f", "-"], { input: JSON.stringify(manifest) });
  assert.equal(code, 0, stderr);
}

/** Pods of a label as `name image node`. */
async function podsOf(app: string): Promise<readonly string[]> {
  const path = "{range .items[*]}{.metadata.name} {.spec.containers[0].image} {.spec.nodeName}{'\\n'}{end}";
  const lines = (await ok("get", "pods", "-l", `app=${app}`, "-o", `jsonpath=${path.replaceAll("'", '"')}`)).trim();
  return lines.split("\n").toSorted((a, b) => a.localeCompare(b));
}

function template(app: string) {
  const containers = [{ name: "main", image: "nginx" }];
  return { metadata: { labels: { app } }, spec: { containers, terminationGracePeriodSeconds: 1 } };
}

const selector = (app: string) => ({ matchLabels: { app } });

test("a StatefulSet has stable names, which resolve in pods, and survives update, undo and scaling", async () => {
  await apply({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "db" },
    spec: { clusterIP: "None", selector: { app: "db" }, ports: [{ port: 80 }] },
  });
  const spec = { serviceName: "db", replicas: 3, selector: selector("db"), template: template("db") };
  await apply({ apiVersion: "apps/v1", kind: "StatefulSet", metadata: { name: "db" }, spec });
  await ok("rollout", "status", "sts/db", "--timeout=40s");
  const names = (lines: readonly string[]): readonly string[] => lines.map((line) => line.split(" ")[0] ?? "");
  assert.deepEqual(names(await podsOf("db")), ["db-0", "db-1", "db-2"]);
  await ok("run", "client", "--image=busybox", "--restart=Never", "--", "sleep", "3600");
  await ok("wait", "--for=condition=Ready", "pod/client", "--timeout=20s");
  for (const name of ["db-0", "db-2"]) {
    const address = await ok("get", "pod", name, "-o", "jsonpath={.status.podIP}");
    await eventually(async () => {
      const answer = await ok("exec", "client", "--", "nslookup", `${name}.db.default.svc.cluster.local`);
      assert.ok(answer.includes(address), answer);
    });
  }
  assert.equal((await ok("exec", "db-1", "--", "hostname", "-f")).trim(), "db-1.db.default.svc.cluster.local");

  const images = async (): Promise<ReadonlySet<string>> =>
    new Set((await podsOf("db")).map((line) => line.split(" ")[1] ?? ""));
  await ok("set", "image", "sts/db", "main=httpd");
  await ok("rollout", "status", "sts/db", "--timeout=60s");
  assert.deepEqual(await images(), new Set(["httpd"]));
  assert.match(await ok("rollout", "history", "sts/db"), /^1 [^]*^2 /m);
  await ok("rollout", "undo", "sts/db");
  await ok("rollout", "status", "sts/db", "--timeout=60s");
  assert.deepEqual(await images(), new Set(["nginx"]));
  await ok("scale", "sts/db", "--replicas=1");
  await eventually(async () => assert.deepEqual(names(await podsOf("db")), ["db-0"]));
});

test("a DaemonSet covers all nodes, and its update and undo do too", async () => {
  const spec = { selector: selector("agent"), template: template("agent") };
  await apply({ apiVersion: "apps/v1", kind: "DaemonSet", metadata: { name: "agent" }, spec });
  await ok("rollout", "status", "ds/agent", "--timeout=40s");
  const places = async (): Promise<readonly string[]> =>
    (await podsOf("agent")).map((line) => line.split(" ").slice(1).join(" ")).toSorted((a, b) => a.localeCompare(b));
  assert.deepEqual(await places(), ["nginx node-1", "nginx node-2", "nginx node-3"]);
  await ok("set", "image", "ds/agent", "main=httpd");
  await ok("rollout", "status", "ds/agent", "--timeout=60s");
  await eventually(async () => assert.deepEqual(await places(), ["httpd node-1", "httpd node-2", "httpd node-3"]));
  assert.match(await ok("rollout", "history", "ds/agent"), /^1 [^]*^2 /m);
  await ok("rollout", "undo", "ds/agent");
  await ok("rollout", "status", "ds/agent", "--timeout=60s");
  await eventually(async () => assert.deepEqual(await places(), ["nginx node-1", "nginx node-2", "nginx node-3"]));
});

test("a Deployment's rollout goes there and back", async () => {
  await ok("create", "deployment", "web", "--image=nginx", "--replicas=2");
  await ok("rollout", "status", "deployment/web", "--timeout=40s");
  await ok("set", "image", "deployment/web", "nginx=httpd");
  await ok("rollout", "status", "deployment/web", "--timeout=40s");
  assert.match(await ok("rollout", "history", "deployment/web"), /^1 [^]*^2 /m);
  await ok("rollout", "undo", "deployment/web");
  await ok("rollout", "status", "deployment/web", "--timeout=40s");
});

test("a job completes and can be waited for; one that fails says why; both leave nothing", async () => {
  await ok("create", "job", "one", "--image=busybox", "--", "echo", "hello");
  await ok("wait", "--for=condition=complete", "job/one", "--timeout=20s");
  assert.equal((await ok("logs", "job/one")).trim(), "hello");
  const restartPolicy = "Never";
  const containers = [{ name: "main", image: "busybox", command: ["sh", "-c", "exit 3"] }];
  const spec = { backoffLimit: 0, template: { spec: { restartPolicy, containers } } };
  await apply({ apiVersion: "batch/v1", kind: "Job", metadata: { name: "bad" }, spec });
  await ok("wait", "--for=condition=failed", "job/bad", "--timeout=20s");
  assert.match(
    await ok("describe", "job", "bad"),
    /BackoffLimitExceeded\s+.*Job has reached the specified backoff limit/,
  );
  await ok("delete", "job", "one", "bad");
  await eventually(async () =>
    assert.equal(await ok("get", "pods", "-l", "batch.kubernetes.io/job-name", "-o", "name"), ""),
  );
});

test("an Indexed job tells each pod its index", async () => {
  const containers = [{ name: "main", image: "busybox", command: ["sh", "-c", "echo index $JOB_COMPLETION_INDEX"] }];
  const spec = {
    completionMode: "Indexed",
    completions: 3,
    parallelism: 3,
    template: { spec: { restartPolicy: "Never", containers } },
  };
  await apply({ apiVersion: "batch/v1", kind: "Job", metadata: { name: "indexed" }, spec });
  await ok("wait", "--for=condition=complete", "job/indexed", "--timeout=20s");
  const logs = await ok("logs", "-l", "batch.kubernetes.io/job-name=indexed");
  assert.deepEqual(
    logs
      .trim()
      .split("\n")
      .toSorted((a, b) => a.localeCompare(b)),
    ["index 0", "index 1", "index 2"],
  );
  assert.equal(await ok("get", "job", "indexed", "-o", "jsonpath={.status.completedIndexes}"), "0-2");
});

test("a cron job is run by hand, and by the clock", async () => {
  await ok("create", "cronjob", "tick", "--image=busybox", "--schedule=* * * * *", "--", "echo", "tick");
  await ok("create", "job", "by-hand", "--from=cronjob/tick");
  await ok("wait", "--for=condition=complete", "job/by-hand", "--timeout=20s");
  await eventually(
    async () => {
      const names = await ok("get", "jobs", "-o", "name");
      assert.match(names, /job.batch\/tick-\d+/);
    },
    { timeoutMs: 65_000 },
  );
  await eventually(async () => {
    assert.match(
      await ok("describe", "cronjob", "tick"),
      /SawCompletedJob\s+.*Saw completed job: tick-\d+, condition: Complete/,
    );
  });
});

test("a ReplicationController keeps its pods", async () => {
  const spec = { replicas: 2, selector: { app: "rc" }, template: template("rc") };
  await apply({ apiVersion: "v1", kind: "ReplicationController", metadata: { name: "rc" }, spec });
  await eventually(async () => {
    assert.equal(await ok("get", "rc", "rc", "-o", "jsonpath={.status.readyReplicas}"), "2");
  });
  await ok("scale", "rc/rc", "--replicas=1");
  await eventually(async () => assert.equal((await podsOf("rc")).length, 1));
});

test("a StatefulSet's claims get folders on nodes, which a replica finds again and its set takes along", async () => {
  const mounts = { volumeMounts: [{ name: "data", mountPath: "/data" }] };
  const command = ["sh", "-c", "echo start >> /data/starts; exec sleep 3600"];
  const containers = [{ name: "main", image: "busybox", command, ...mounts }];
  const claimSpec = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Mi" } } };
  const spec = {
    serviceName: "store",
    replicas: 2,
    selector: selector("store"),
    template: { metadata: { labels: { app: "store" } }, spec: { containers, terminationGracePeriodSeconds: 0 } },
    volumeClaimTemplates: [{ metadata: { name: "data" }, spec: claimSpec }],
    persistentVolumeClaimRetentionPolicy: { whenDeleted: "Delete", whenScaled: "Retain" },
  };
  await apply({ apiVersion: "apps/v1", kind: "StatefulSet", metadata: { name: "store" }, spec });
  await ok("rollout", "status", "sts/store", "--timeout=40s");
  const node = async (): Promise<string> => await ok("get", "pod", "store-0", "-o", "jsonpath={.spec.nodeName}");
  const home = await node();
  await ok("delete", "pod", "store-0");
  await ok("rollout", "status", "sts/store", "--timeout=40s");
  assert.equal(await node(), home);
  await eventually(async () =>
    assert.equal(await ok("exec", "store-0", "--", "cat", "/data/starts"), "start\nstart\n"),
  );
  await ok("delete", "sts", "store");
  await eventually(async () => assert.equal(await ok("get", "pvc,pv", "-o", "name"), ""));
});

test("an emptyDir of medium Memory is a tmpfs of its size, and a subPath is made in it", async () => {
  const script =
    "stat -f -c %T /memory; df -k /memory | tail -n 1 | awk '{print $2}'; cat /sub/name; stat -f -c %T /disk";
  const main = {
    name: "main",
    image: "busybox",
    command: ["sh", "-c", `echo $POD_NAME > /sub/name; ${script}`],
    env: [{ name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }],
    volumeMounts: [
      { name: "memory", mountPath: "/memory" },
      { name: "memory", mountPath: "/sub", subPathExpr: "of/$(POD_NAME)" },
      { name: "disk", mountPath: "/disk" },
    ],
  };
  const volumes = [
    { name: "memory", emptyDir: { medium: "Memory", sizeLimit: "8Mi" } },
    { name: "disk", emptyDir: {} },
  ];
  const spec = { restartPolicy: "Never", containers: [main], volumes };
  await apply({ apiVersion: "v1", kind: "Pod", metadata: { name: "in-memory" }, spec });
  await ok("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/in-memory", "--timeout=30s");
  const [medium, sizeKiB, name, disk] = (await ok("logs", "in-memory")).trim().split("\n");
  assert.deepEqual([medium, sizeKiB, name], ["tmpfs", "8192", "in-memory"]);
  assert.notEqual(disk, undefined);
  await ok("delete", "pod", "in-memory");
});
