/** The server and an agent killed with `kill -9`: when each serves again, and whether the data path noticed. */
import { request } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { resources } from "../src/api/resources.ts";
import { createHttpsClient, type HttpsApiClient } from "../src/client/index.ts";
import { readKubeconfig } from "../src/machinery/kubeconfig/index.ts";
import type { Lab } from "../test/cluster/lab/index.ts";
import { busybox, isReady, untilCreated, untilReady } from "./_pods.ts";
import { pidOf } from "./_processes.ts";

export interface Restarts {
  /** From the server's end until a pod is read through the API. */
  readonly readMs: number;
  /** Until as many watches are open as before: those of the agents and of the control plane. */
  readonly watchesMs: number;
  /** Until a pod that was made as soon as the API took it is Ready. */
  readonly newPodMs: number;
  /** From the agent's end until its kubelet gives a pod's log. */
  readonly logMs: number;
  /** Until a pod made at the moment of its end is Ready on its node. */
  readonly agentPodMs: number;
  /** New connections to a Service, from a pod, while both were away; and those of them that failed. */
  readonly requests: number;
  readonly lostRequests: number;
}

/** A process that ran longer is started again without the back-off of one that keeps ending. */
const settledMs = 11_000;
const between = { tries: 2, requests: "0.05" } as const;

export async function measureRestarts(lab: Lab, times: number): Promise<readonly Restarts[]> {
  if (times === 0) return [];
  const client = await clientOf(lab);
  await startTraffic(client);
  client.close();
  const results: Restarts[] = [];
  for (let round = 0; round < times; round += 1) {
    await sleep(settledMs);
    results.push(await measureOnce(lab, round));
  }
  return results;
}

const clientOf = async (lab: Lab): Promise<HttpsApiClient> =>
  createHttpsClient(await readKubeconfig(lab.env["KUBECONFIG"] ?? ""));

/** A Service in front of one pod, and another pod that asks it again and again, each time with a new connection. */
async function startTraffic(client: HttpsApiClient): Promise<void> {
  const web = busybox("web", ["httpd", "-f", "-p", "80"], { app: "web" });
  await client.create(resources.services, {
    metadata: { name: "web", namespace: "default" },
    spec: { selector: { app: "web" }, ports: [{ port: 80 }] },
  });
  const ask = `while :; do timeout 1 wget -q -O /dev/null http://web.default.svc.cluster.local/etc/hostname && echo answered || echo lost; sleep ${between.requests}; done`;
  await untilCreated(client, [web], isReady);
  await untilCreated(client, [busybox("asking", ["sh", "-c", ask])], isReady);
}

async function measureOnce(lab: Lab, round: number): Promise<Restarts> {
  const before = await traffic(lab);
  const watches = await openWatches(lab);
  const serverKilled = kill(lab, "server");
  await untilAnswered(async () => await get(lab, "/api/v1/namespaces/default/pods/web"));
  const readMs = performance.now() - serverKilled;
  const client = await clientOf(lab);
  const newPod = untilReady(client, [`after-server-${round}`]).then(() => performance.now() - serverKilled);
  await untilAnswered(async () => {
    const now = await openWatches(lab);
    if (now < watches) throw new Error(`${now} of ${watches} watches`);
  });
  const watchesMs = performance.now() - serverKilled;
  const newPodMs = await newPod;
  // On the node of the pod whose log is read, which a scheduler that counts pods would not always choose.
  const web = await client.get(resources.pods, { namespace: "default", name: "web" });
  const agentKilled = kill(lab, "agent");
  const made = busybox(`after-agent-${round}`, ["sleep", "100000"]);
  const pinned = {
    ...made,
    spec: { ...made.spec, containers: made.spec?.containers ?? [], nodeName: web.spec?.nodeName ?? "" },
  };
  const agentPod = untilCreated(client, [pinned], isReady).then(() => performance.now() - agentKilled);
  await untilAnswered(async () => await get(lab, "/api/v1/namespaces/default/pods/web/log"));
  const logMs = performance.now() - agentKilled;
  const agentPodMs = await agentPod;
  client.close();
  const after = await traffic(lab);
  return {
    readMs,
    watchesMs,
    newPodMs,
    logMs,
    agentPodMs,
    requests: after.answered + after.lost - before.answered - before.lost,
    lostRequests: after.lost - before.lost,
  };
}

/** Returns when. */
function kill(lab: Lab, part: "server" | "agent"): number {
  const pid = pidOf(lab, part);
  if (pid === undefined) throw new Error(`Cannot kill the ${part}: it does not run`);
  process.kill(pid, "SIGKILL");
  return performance.now();
}

async function traffic(lab: Lab): Promise<{ readonly answered: number; readonly lost: number }> {
  const lines = (await get(lab, "/api/v1/namespaces/default/pods/asking/log")).split("\n");
  return {
    answered: lines.filter((line) => line === "answered").length,
    lost: lines.filter((line) => line === "lost").length,
  };
}

async function openWatches(lab: Lab): Promise<number> {
  const samples = (await get(lab, "/metrics")).matchAll(
    /^apiserver_longrunning_requests\{[^}]*"WATCH"[^}]*\} (\d+)$/gm,
  );
  return [...samples].reduce((sum, [, count]) => sum + Number(count), 0);
}

/** A connection of its own, as kubectl would make it. Rejects where there is no answer, or an error. */
async function get(lab: Lab, path: string): Promise<string> {
  const { server, ca, certificate, key } = await readKubeconfig(lab.env["KUBECONFIG"] ?? "");
  return await new Promise((resolve, reject) => {
    const asked = request(
      `${server}${path}`,
      { ca, cert: certificate, key, agent: false, timeout: 5000 },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          if (response.statusCode === 200) resolve(text);
          else reject(new Error(`${path}: ${response.statusCode} ${text}`));
        });
      },
    );
    asked.on("timeout", () => asked.destroy(new Error(`${path}: no answer`)));
    asked.on("error", reject);
    asked.end();
  });
}

async function untilAnswered(ask: () => Promise<unknown>): Promise<void> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    try {
      await ask();
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(between.tries);
    }
  }
}
