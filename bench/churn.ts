/**
 * Pods and Services made and deleted, as in a cluster that lives for a day: what must stay flat, before, meanwhile and
 * after. `npm run bench -- churn [SECONDS]`; 60 where absent, the figures in the docs are of 600.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Pod } from "../src/api/generated/types.ts";
import { resources } from "../src/api/resources.ts";
import { createHttpsClient } from "../src/client/index.ts";
import { readKubeconfig } from "../src/machinery/kubeconfig/index.ts";
import { eventually, kernelState, type Lab, labProcesses, makeLab } from "../test/cluster/lab/index.ts";
import { printTable } from "./_table.ts";

type Client = ReturnType<typeof createHttpsClient>;
type Sample = Readonly<Record<string, number>>;

const nodes = ["node-1", "node-2", "node-3"];
const podsPerRound = 15;
const key = (name: string) => ({ namespace: "default", name });

export async function run([seconds = "60"]: readonly string[]): Promise<void> {
  const lab = makeLab();
  try {
    const up = await lab.netloom(["up"]);
    if (up.code !== 0) throw new Error(up.stderr);
    const client = createHttpsClient(await readKubeconfig(lab.env["KUBECONFIG"] ?? ""));
    // What is loaded with the first pod is no growth.
    await round(client, 0);
    const samples: (readonly [string, Sample])[] = [["start", await sample(lab)]];
    const started = performance.now();
    const total = Number(seconds) * 1000;
    let rounds = 1;
    for (const quarter of [1, 2, 3, 4]) {
      for (; performance.now() - started < (total * quarter) / 4; rounds += 1) await round(client, rounds);
      samples.push([`${Math.round((Number(seconds) * quarter) / 4)} s`, await sample(lab)]);
    }
    const pods = (rounds - 1) * podsPerRound;
    const duration = (performance.now() - started) / 1000;
    console.log(
      `${pods} pods and ${pods} Services made and deleted in ${Math.round(duration)} s (${(pods / duration).toFixed(1)} a second); ${cpus().length} cores, ${cpus()[0]?.model ?? "unknown processor"}, Node ${process.version}\n`,
    );
    printTable(
      ["what", ...samples.map(([when]) => when)],
      Object.keys(samples[0]?.[1] ?? {}).map((what) => [what, ...samples.map(([, values]) => `${values[what]}`)]),
    );
  } finally {
    await lab.end();
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

/** After a moment of rest, so that what is under way has ended. */
async function sample(lab: Lab): Promise<Sample> {
  await sleep(3000);
  const all = labProcesses(lab);
  const pidOf = (word: string): number =>
    all.find(({ words }) => words[0]?.endsWith("node") === true && words.includes(word))?.pid ?? 0;
  const [server, agent] = [pidOf("server"), pidOf("agent")];
  const init = all.find(({ words }) => words[0]?.endsWith("tini") === true)?.pid ?? 0;
  const { netns = [], ...perNode } = await kernelState(lab, nodes);
  const state = join(lab.folder, "s/netloom/netloom");
  const sizeOf = (file: string): number => statSync(join(state, file), { throwIfNoEntry: false })?.size ?? 0;
  return {
    "server, memory in MB": pssMegabytes(server),
    "server, open files": countOf(`/proc/${server}/fd`),
    "agent, memory in MB": pssMegabytes(agent),
    "agent, open files": countOf(`/proc/${agent}/fd`),
    processes: all.length,
    mounts: readFileSync(`/proc/${init}/mounts`, "utf8").split("\n").length,
    "network namespaces": netns.length,
    "rules, elements, routes and links of all nodes": Object.values(perNode).flat().length,
    "files in the state folder": (readdirSync(state, { recursive: true }) as string[]).length,
    "store in KB": Math.round((sizeOf("store.db") + sizeOf("store.db-wal")) / 1024),
  };
}

function pssMegabytes(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  return Math.round(Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0) / 1024);
}

function countOf(folder: string): number {
  return readdirSync(folder).length;
}
