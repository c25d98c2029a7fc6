import assert from "node:assert/strict";
import { test } from "node:test";
import { keyOf } from "../../api/object.ts";
import { resources } from "../../api/resources.ts";
import type { Job, JobSpec, Pod } from "../../api/generated/types.ts";
import { settle } from "../../machinery/fake-clock.ts";
import { startCluster } from "./test-cluster.ts";
import type { TestCluster } from "./test-cluster.ts";

const controllers = ["job-controller", "ttl-after-finished-controller"] as const;
const key = { namespace: "default", name: "work" };

/** With what the API server adds: defaults and the generated selector. */
function work(spec: Partial<JobSpec> = {}): Job {
  return {
    metadata: { ...key },
    spec: {
      parallelism: 1,
      completions: 1,
      backoffLimit: 6,
      selector: { matchLabels: { "job-name": "work" } },
      template: {
        metadata: { labels: { "job-name": "work" } },
        spec: { restartPolicy: "Never", containers: [{ name: "main", image: "busybox" }] },
      },
      ...spec,
    },
  };
}

function conditions({ client }: TestCluster): readonly string[] {
  return (client.peek(resources.jobs, key)?.status?.conditions ?? [])
    .filter(({ status }) => status === "True")
    .map(({ type, reason, message }) => `${type} ${reason}: ${message}`);
}

/** Ends every pod that runs, as the kubelet would. */
async function endPods(cluster: TestCluster, phase: "Succeeded" | "Failed", exitCode = 1): Promise<void> {
  const { client, clock } = cluster;
  for (const pod of client.peekAll(resources.pods)) {
    if (pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed") continue;
    const finishedAt = new Date(clock.now()).toISOString();
    const state = { terminated: { exitCode: phase === "Succeeded" ? 0 : exitCode, finishedAt } };
    client.put(resources.pods, {
      ...pod,
      status: {
        phase,
        containerStatuses: [{ name: "main", image: "", imageID: "", ready: false, restartCount: 0, state }],
      },
    });
  }
  await settle();
}

function statusOf(cluster: TestCluster) {
  return cluster.client.peek(resources.jobs, key)?.status;
}

test("a job completes when enough of its pods have succeeded, and lets each go once it is counted", async () => {
  const cluster = await startCluster(controllers);
  await cluster.client.create(resources.jobs, work({ completions: 3, parallelism: 2 }));
  await settle();
  const isTracked = ({ metadata }: Pod): boolean =>
    metadata?.finalizers?.includes("batch.kubernetes.io/job-tracking") === true;
  assert.deepEqual(cluster.client.peekAll(resources.pods).map(isTracked), [true, true]);
  assert.equal(statusOf(cluster)?.active, 2);
  await endPods(cluster, "Succeeded");
  assert.equal(cluster.names(resources.pods).length, 3);
  await endPods(cluster, "Succeeded");
  assert.deepEqual(conditions(cluster), [
    "SuccessCriteriaMet CompletionsReached: Reached expected number of succeeded pods",
    "Complete CompletionsReached: Reached expected number of succeeded pods",
  ]);
  assert.equal(statusOf(cluster)?.succeeded, 3);
  assert.equal(statusOf(cluster)?.active, undefined);
  assert.equal(typeof statusOf(cluster)?.completionTime, "string");
  assert.ok(!cluster.client.peekAll(resources.pods).some(isTracked));
  assert.ok(cluster.events().includes("Job Completed: Job completed"));
  await cluster.stop();
});

test("a failed pod is replaced after a growing pause, until the back-off limit", async () => {
  const cluster = await startCluster(controllers);
  await cluster.client.create(resources.jobs, work({ backoffLimit: 2 }));
  await settle();
  for (const [pods, pauseMs] of [
    [1, 10_000],
    [2, 20_000],
  ] as const) {
    await endPods(cluster, "Failed");
    await cluster.clock.advance(pauseMs - 1);
    assert.equal(cluster.names(resources.pods).length, pods);
    await cluster.clock.advance(1);
    assert.equal(cluster.names(resources.pods).length, pods + 1);
  }
  await endPods(cluster, "Failed");
  await cluster.clock.advance(100_000);
  assert.equal(cluster.names(resources.pods).length, 3);
  assert.equal(statusOf(cluster)?.failed, 3);
  assert.ok(conditions(cluster).includes("Failed BackoffLimitExceeded: Job has reached the specified backoff limit"));
  assert.ok(
    cluster.events().includes("Job BackoffLimitExceeded: Job has reached the specified backoff limit"),
    cluster.events().join("\n"),
  );
  await cluster.stop();
});

test("an Indexed job gives each index a pod with its name, label and variable", async () => {
  const cluster = await startCluster(controllers);
  await cluster.client.create(resources.jobs, work({ completionMode: "Indexed", completions: 3, parallelism: 2 }));
  await settle();
  const hostnames = (): readonly unknown[] =>
    cluster.client
      .peekAll(resources.pods)
      .map(({ spec }) => spec?.hostname ?? "")
      .toSorted((a, b) => a.localeCompare(b));
  assert.deepEqual(hostnames(), ["work-0", "work-1"]);
  const [pod] = cluster.client.peekAll(resources.pods);
  assert.match(pod?.metadata?.name ?? "", /^work-\d-/);
  assert.equal(pod?.spec?.containers[0]?.env?.[0]?.name, "JOB_COMPLETION_INDEX");
  await endPods(cluster, "Succeeded");
  assert.deepEqual(hostnames(), ["work-0", "work-1", "work-2"]);
  assert.equal(statusOf(cluster)?.completedIndexes, "0,1");
  await endPods(cluster, "Succeeded");
  assert.equal(statusOf(cluster)?.completedIndexes, "0-2");
  assert.equal(statusOf(cluster)?.succeeded, 3);
  await cluster.stop();
});

test("an index beyond its own back-off limit fails the job once the others are done", async () => {
  const cluster = await startCluster(controllers);
  await cluster.client.create(
    resources.jobs,
    work({ completionMode: "Indexed", completions: 2, parallelism: 1, backoffLimitPerIndex: 0, backoffLimit: 100 }),
  );
  await settle();
  await endPods(cluster, "Failed");
  await cluster.clock.advance(20_000);
  await endPods(cluster, "Succeeded");
  assert.equal(statusOf(cluster)?.failedIndexes, "0");
  assert.equal(statusOf(cluster)?.completedIndexes, "1");
  assert.ok(conditions(cluster).includes("Failed FailedIndexes: Job has failed indexes"));
  await cluster.stop();
});

test("a job that is active for too long fails, and its pods are deleted first", async () => {
  const cluster = await startCluster(controllers);
  await cluster.client.create(resources.jobs, work({ activeDeadlineSeconds: 30 }));
  await cluster.runPods();
  await cluster.clock.advance(30_000);
  assert.deepEqual(conditions(cluster), [
    "FailureTarget DeadlineExceeded: Job was active longer than specified deadline",
  ]);
  await endPods(cluster, "Failed");
  assert.ok(conditions(cluster).includes("Failed DeadlineExceeded: Job was active longer than specified deadline"));
  await cluster.stop();
});

test("a suspended job has no pods, and its time counts from its resumption", async () => {
  const cluster = await startCluster(controllers);
  await cluster.client.create(resources.jobs, work({ suspend: true }));
  await settle();
  assert.deepEqual(cluster.names(resources.pods), []);
  assert.deepEqual(conditions(cluster), ["Suspended JobSuspended: Job suspended"]);
  await cluster.clock.advance(5000);
  await cluster.client.patch(resources.jobs, key, { type: "merge", body: { spec: { suspend: false } } });
  await settle();
  assert.equal(cluster.names(resources.pods).length, 1);
  assert.equal(statusOf(cluster)?.startTime, new Date(cluster.clock.now()).toISOString().replace(".000Z", "Z"));
  await cluster.stop();
});

test("a failure policy ends the job at an exit code, and overlooks disruptions", async () => {
  const cluster = await startCluster(controllers);
  const podFailurePolicy = {
    rules: [
      { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget" }] },
      { action: "FailJob", onExitCodes: { operator: "In", values: [42] } },
    ],
  };
  await cluster.client.create(
    resources.jobs,
    work({ podFailurePolicy, podReplacementPolicy: "Failed", backoffLimit: 0 }),
  );
  await settle();
  const [first] = cluster.client.peekAll(resources.pods);
  cluster.client.put(resources.pods, {
    ...first,
    status: { phase: "Failed", conditions: [{ type: "DisruptionTarget", status: "True" }] },
  });
  await cluster.clock.advance(20_000);
  assert.equal(cluster.names(resources.pods).length, 2);
  await endPods(cluster, "Failed", 42);
  const second = cluster.client.peekAll(resources.pods).find(({ metadata }) => metadata?.uid !== first?.metadata?.uid);
  assert.ok(
    conditions(cluster).includes(
      `Failed PodFailurePolicy: Container main for pod default/${second?.metadata?.name} failed with exit code 42 matching FailJob rule at index 1`,
    ),
    conditions(cluster).join("\n"),
  );
  await cluster.stop();
});

test("a finished job is deleted when its time to live is over", async () => {
  const cluster = await startCluster(controllers);
  await cluster.client.create(resources.jobs, work({ ttlSecondsAfterFinished: 60 }));
  await settle();
  await endPods(cluster, "Succeeded");
  await cluster.clock.advance(59_000);
  assert.equal(cluster.client.peek(resources.jobs, key)?.metadata?.deletionTimestamp, undefined);
  await cluster.clock.advance(2000);
  const job = cluster.client.peek(resources.jobs, key);
  assert.ok(job === undefined || job.metadata?.deletionTimestamp !== undefined);
  await cluster.stop();
});

test("the pods of a job that is gone are let go", async () => {
  const cluster = await startCluster(controllers);
  await cluster.client.create(resources.jobs, work({ parallelism: 2, completions: 2 }));
  await settle();
  await cluster.client.delete(resources.jobs, key);
  await settle();
  for (const pod of cluster.client.peekAll(resources.pods)) assert.deepEqual(pod.metadata?.finalizers, []);
  for (const pod of cluster.client.peekAll(resources.pods))
    await cluster.client.delete(resources.pods, keyOf(pod), { gracePeriodSeconds: 0 });
  assert.deepEqual(cluster.names(resources.pods), []);
  await cluster.stop();
});
