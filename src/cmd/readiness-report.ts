/** Tells the holder when the nodes are Ready and when DNS answers: what `netloom up` and `start` wait for. */
import { existsSync, readFileSync } from "node:fs";
import type { Socket } from "node:net";
import type { Node, Pod } from "../api/generated/types.ts";
import { resources } from "../api/resources.ts";
import type { ApiClient } from "../client/index.ts";
import type { Clock } from "../machinery/clock.ts";
import type { Component } from "../machinery/component.ts";
import { reportProgress } from "../machinery/control-socket/index.ts";
import { createInformer } from "../machinery/informer/index.ts";
import type { Logger } from "../machinery/log.ts";
import { type ClusterConfig, clusterPaths, familiesOf } from "../model/cluster-config.ts";
import { readRoster } from "./cluster-file.ts";
import { answersDns } from "./dns-probe.ts";

const probeTimeoutMs = 300;
const probeAgainMs = 20;

const hasCondition = (object: Node | Pod, name: string): boolean =>
  object.status?.conditions?.some(({ type, status }) => type === name && status === "True") === true;

export function createReadinessReport(options: {
  readonly config: ClusterConfig;
  readonly client: ApiClient;
  /** Connects from the control plane's place in the cluster. */
  dialCluster(target: { readonly address: string; readonly port: number }): Promise<Socket>;
  readonly clock: Clock;
  readonly log: Logger;
}): Component {
  const { config, client, clock, log } = options;
  const { holderSocket, bootId } = clusterPaths(config);
  const shared = { source: client, clock, log };
  const nodes = createInformer({ ...shared, resource: resources.nodes });
  const dnsPods = createInformer({
    ...shared,
    resource: resources.pods,
    namespace: "kube-system",
    labelSelector: "k8s-app=kube-dns",
  });

  /** After a stop the API remembers nodes that were Ready: only those that report this boot are. */
  function isReadyNow(node: Node): boolean {
    const file = bootId(node.metadata?.name ?? "");
    return (
      hasCondition(node, "Ready") && existsSync(file) && readFileSync(file, "utf8") === node.status?.nodeInfo?.bootID
    );
  }

  async function untilNodesReady(signal: AbortSignal): Promise<void> {
    const wanted = readRoster(config)
      .filter((entry) => entry.wanted === "running")
      .map(({ node }) => node.name);
    await until(nodes, signal, () => {
      const ready = new Set(
        nodes.store
          .list()
          .filter(isReadyNow)
          .map(({ metadata }) => metadata?.name),
      );
      return wanted.every((name) => ready.has(name));
    });
    await say("nodes-ready", `${wanted.length} ${wanted.length === 1 ? "node" : "nodes"}`);
  }

  async function untilDnsAnswers(signal: AbortSignal): Promise<void> {
    const readyPods = (): readonly Pod[] => dnsPods.store.list().filter((pod) => hasCondition(pod, "Ready"));
    while (!signal.aborted) {
      await until(dnsPods, signal, () => readyPods().length > 0);
      for (const pod of readyPods())
        if (await doesAnswer(pod, signal)) return await say("dns-ready", `at ${config.dnsServiceAddress}`);
      await clock.sleep(probeAgainMs, signal).catch(() => undefined);
    }
  }

  async function doesAnswer(pod: Pod, signal: AbortSignal): Promise<boolean> {
    const expired = new AbortController();
    const done = new AbortController();
    clock.sleep(probeTimeoutMs, done.signal).then(
      () => expired.abort(),
      () => undefined,
    );
    try {
      const socket = await options.dialCluster({ address: pod.status?.podIP ?? "", port: 53 });
      const question = {
        name: `kubernetes.default.svc.${config.clusterDomain}.`,
        family: familiesOf(config)[0],
      };
      return await answersDns(socket, question, AbortSignal.any([signal, expired.signal]));
    } catch (error) {
      log.debug("the cluster's DNS does not answer yet", { pod: pod.metadata?.name, error });
      return false;
    } finally {
      done.abort();
    }
  }

  async function say(step: "nodes-ready" | "dns-ready", detail: string): Promise<void> {
    await reportProgress(holderSocket, { step, detail, atMs: clock.now() });
  }

  return {
    name: "readiness-report",
    ready: nodes.ready,
    run: async (signal) => {
      // Once said, both stay so for `up`: afterwards the informers have nothing more to watch for.
      const done = new AbortController();
      const watching = AbortSignal.any([signal, done.signal]);
      const report = async (): Promise<void> => {
        await untilNodesReady(watching);
        await untilDnsAnswers(watching);
        done.abort();
      };
      await Promise.all([nodes.run(watching), dnsPods.run(watching), report()]);
    },
  };
}

/** Resolves when `isSo` holds, asked at each change, or when the signal aborts. */
async function until(
  informer: { onChange(callback: () => void): () => void },
  signal: AbortSignal,
  isSo: () => boolean,
): Promise<void> {
  if (isSo() || signal.aborted) return;
  await new Promise<void>((resolve) => {
    const stop = (): void => {
      unsubscribe();
      resolve();
    };
    const unsubscribe = informer.onChange(() => {
      if (isSo()) stop();
    });
    signal.addEventListener("abort", stop, { once: true });
  });
}
