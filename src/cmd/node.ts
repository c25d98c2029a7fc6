/** `netloom node stop|start|add|delete`: the machines of a running cluster, switched off and on, bought and sold. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ApiError } from "../api/status.ts";
import { keyOf } from "../api/object.ts";
import { resources } from "../api/resources.ts";
import { createHttpsClient } from "../client/index.ts";
import { findSupervisor, type Progress } from "../components/lab-host/index.ts";
import { callControl, changeNode } from "../machinery/control-socket/index.ts";
import { readKubeconfig } from "../machinery/kubeconfig/index.ts";
import { type ClusterConfig, clusterPaths } from "../model/cluster-config.ts";
import type { NodeChange } from "../model/node-roster/index.ts";
import { CommandError, runningCluster } from "./clusters.ts";

const done: Readonly<Record<NodeChange["action"], string>> = {
  stop: "is off",
  start: "is Ready",
  add: "is Ready",
  delete: "is gone",
};

const waitMs = 30_000;
const lookMs = 20;

/** Resolves when the node has come to what was asked for. Rejects with `CommandError` where that is refused or takes too long. */
export async function changeNodes(name: string, change: NodeChange, progress: Progress): Promise<void> {
  const { config } = runningCluster(name);
  try {
    await changeNodesOf(config, change, progress);
  } catch (error) {
    if (findSupervisor(config.runDir) !== undefined) throw error;
    throw new CommandError(`The cluster "${name}" was ended meanwhile, and its nodes with it`, { cause: error });
  }
}

async function changeNodesOf(config: ClusterConfig, change: NodeChange, progress: Progress): Promise<void> {
  const started = performance.now();
  const { holderSocket } = clusterPaths(config);
  const answer = await changeNode(holderSocket, change);
  if (answer.error !== undefined) throw new CommandError(answer.error);
  const node = answer.name ?? change.name ?? "";
  for (;;) {
    const { nodes } = await callControl(holderSocket, { operation: "status" });
    const report = nodes.find((one) => one.name === node);
    if (report === undefined || report.state !== "changing") break;
    if (performance.now() - started > waitMs) {
      throw new CommandError(
        `The node "${node}" has not come to be ${report.wanted} after ${waitMs / 1000} s: see "netloom logs"`,
      );
    }
    await sleep(lookMs);
  }
  if (change.action === "delete") await forgetNode(config, node);
  progress.done(`node "${node}" ${done[change.action]}`, `${Math.round(performance.now() - started)} ms`);
}

/** Takes the node and the pods that were bound to it out of the API: nobody will do so in its place. */
async function forgetNode(config: ClusterConfig, name: string): Promise<void> {
  const client = createHttpsClient(await readKubeconfig(join(clusterPaths(config).kubeconfigs, "admin.conf")));
  try {
    await ignoringMissing(client.delete(resources.nodes, { name }));
    const { items } = await client.list(resources.pods, { fieldSelector: `spec.nodeName=${name}` });
    await Promise.all(
      items.map(async (pod) => {
        await ignoringMissing(client.delete(resources.pods, keyOf(pod), { gracePeriodSeconds: 0 }));
      }),
    );
  } finally {
    client.close();
  }
}

async function ignoringMissing(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof ApiError && error.code === 404)) throw error;
  }
}
