/**
 * Pods and Services made and deleted, as in a cluster that lives for a day: what must stay flat does it? A day of a cluster
 * in which a pod comes and goes every 20 seconds is 4,300 of them; ten minutes of this make more. At an even rate, since what
 * is kept for a time (the history of watches, connections) follows the rate; on a machine that cannot keep it up the first
 * line says which rate it was.
 *
 * `npm run bench -- churn [SECONDS]`; 600 where absent, as in the docs. In less the history of watches, which is of five
 * minutes, does not reach its bound, so that memory still grows.
 */
import { cpus } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { Pod } from "../src/api/generated/types.ts";
import { resources } from "../src/api/resources.ts";
import { mostEvents } from "../src/components/kube-apiserver/event-expiry.ts";
import { createHttpsClient } from "../src/client/index.ts";
import { readKubeconfig } from "../src/machinery/kubeconfig/index.ts";
import { eventually, makeLab } from "../test/cluster/lab/index.ts";
import { clusterSample, probeEnvironment, type Sample, settled } from "./_cluster-sample.ts";
import { trendOf } from "./_flat.ts";
import { printTable } from "./_table.ts";

type Client = ReturnType<typeof createHttpsClient>;

const podsPerRound = 15;
/** A round begins so long after the one before it, or later where that has not ended: ten pods a second. */
const roundMs = 1500;
const sampleCount = 20;
/** Of the level, over the second half. Memory goes up and down with each collection. */
const tolerance = 0.1;
const key = (name: string) => ({ namespace: "default", name });

export async function run([seconds = "600"]: readonly string[]): Promise<void> {
  const lab = makeLab();
  try {
    const up = await lab.netloom(["up"], { env: probeEnvironment(lab) });
    if (up.code !== 0) throw new Error(up.stderr);
    const client = createHttpsClient(await readKubeconfig(lab.env["KUBECONFIG"] ?? ""));
    // What is loaded with the first pod is no growth, and neither is the news of the hour before.
    await fillEvents(client);
    await round(client, 0);
    await sleep(3000);
    const first = await clusterSample(lab, client);
    const samples = [first];
    const started = performance.now();
    let rounds = 1;
    for (let taken = 1; taken <= sampleCount; taken += 1) {
      const until = (Number(seconds) * 1000 * taken) / sampleCount;
      while (performance.now() - started < until) {
        const next = performance.now() + roundMs;
        await round(client, rounds++);
        await sleep(Math.max(0, next - performance.now()));
      }
      await settled(lab, first);
      samples.push(await clusterSample(lab, client));
      const { "server, memory in MB": server, "agent, memory in MB": agent } = samples.at(-1) ?? {};
      const elapsed = Math.round((performance.now() - started) / 1000);
      process.stderr.write(`${elapsed} s, ${rounds * podsPerRound} pods, server ${server} MB, agent ${agent} MB\n`);
    }
    const duration = (performance.now() - started) / 1000;
    // Then it rests, as a cluster does most of the time.
    await sleep(30_000);
    const resting = await clusterSample(lab, client);
    const pods = (rounds - 1) * podsPerRound;
    console.log(
      `${pods} pods and as many Services made and deleted in ${Math.round(duration)} s (${(pods / duration).toFixed(1)} a second); ${cpus().length} cores, ${cpus()[0]?.model ?? "unknown processor"}, Node ${process.version}\n`,
    );
    report(samples, resting);
  } finally {
    await lab.end();
  }
}

/** A row for each thing; the process' exit code says whether all are flat. */
function report(samples: readonly Sample[], resting: Sample): void {
  const names = Object.keys(samples[0] ?? {});
  const middle = samples[samples.length >> 1] ?? {};
  const rows = names.map((name) => {
    const { growth, isFlat } = trendOf(
      samples.map((sample) => sample[name] ?? 0),
      tolerance,
    );
    if (!isFlat) process.exitCode = 1;
    const values = [samples[0], middle, samples.at(-1)].map((sample) => `${sample?.[name] ?? 0}`);
    return [name, ...values, growth.toFixed(1), isFlat ? "flat" : "NOT FLAT", `${resting[name] ?? 0}`];
  });
  printTable(["what", "start", "middle", "end", "growth in the second half", "verdict", "after 30 s of rest"], rows);
}

/** As many as the server keeps, so that they are at their bound from the beginning. */
async function fillEvents(client: Client): Promise<void> {
  for (let written = 0; written < mostEvents; written += 100) {
    const names = Array.from(
      { length: 100 },
      (_, index) => `earlier.${(written + index).toString(16).padStart(16, "0")}`,
    );
    await Promise.all(
      names.map(async (name) => {
        const involvedObject = { kind: "Pod", apiVersion: "v1", ...key("earlier"), uid: name };
        const text = { type: "Normal", reason: "Started", message: "Started container c" };
        await client.create(resources.events, { metadata: key(name), involvedObject, ...text, count: 1 });
      }),
    );
  }
}

/** Each pod with a Service of its own; over when nothing of them is left. */
async function round(client: Client, number: number): Promise<void> {
  const names = Array.from({ length: podsPerRound }, (_, index) => `churn-${number}-${index}`);
  await Promise.all(
    names.map(async (name) => {
      await client.create(resources.pods, podOf(name));
      await client.create(resources.services, {
        metadata: key(name),
        spec: { selector: { name }, ports: [{ port: 80, targetPort: 8080 }] },
      });
    }),
  );
  const own = { namespace: "default", labelSelector: "churn=yes" };
  await eventually(
    async () => {
      const { items } = await client.list(resources.pods, own);
      const ready = items.filter(({ status }) =>
        status?.conditions?.some((c) => c.type === "Ready" && c.status === "True"),
      );
      if (ready.length < podsPerRound) throw new Error(`${ready.length} of ${podsPerRound} pods are Ready`);
    },
    { timeoutMs: 60_000 },
  );
  await Promise.all(
    names.map(async (name) => {
      await client.delete(resources.services, key(name));
      await client.delete(resources.pods, key(name));
    }),
  );
  await eventually(
    async () => {
      const { items } = await client.list(resources.pods, own);
      if (items.length > 0) throw new Error(`${items.length} pods are still there`);
    },
    { timeoutMs: 60_000 },
  );
}

function podOf(name: string): Pod {
  return {
    metadata: { ...key(name), labels: { churn: "yes", name } },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [{ name: "c", image: "busybox", command: ["sleep", "1000"] }],
    },
  };
}
