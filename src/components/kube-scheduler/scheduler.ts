/** Gives each pod a node. */
import { keyOf, keyText } from "../../api/object.ts";
import { resources } from "../../api/resources.ts";
import { ApiError } from "../../api/status.ts";
import type { Node, Pod } from "../../api/generated/types.ts";
import type { ApiClient } from "../../client/index.ts";
import type { Clock } from "../../machinery/clock.ts";
import type { Component } from "../../machinery/component.ts";
import { createEventRecorder, referenceTo } from "../../machinery/events/index.ts";
import type { EventRecorder } from "../../machinery/events/index.ts";
import { createInformers } from "../../machinery/informer/index.ts";
import type { Change } from "../../machinery/informer/index.ts";
import type { Logger } from "../../machinery/log.ts";
import type { MetricsRegistry } from "../../machinery/metrics/index.ts";
import { createReconciler } from "../../machinery/reconcile/index.ts";
import { byImportance, planPreemption, priorityOf, schedulePod } from "../../model/scheduling/index.ts";
import { isPodTerminal, isSame, podCondition } from "../../model/workload/index.ts";
import { preempt } from "./preempt.ts";
import { ClusterCache } from "./cluster-cache.ts";
import { createSchedulerInformers } from "./informers.ts";

export interface SchedulerOptions {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics?: MetricsRegistry;
  /** Pods that name another scheduler are left to it. "default-scheduler" where absent. */
  readonly schedulerName?: string;
}

/** A pod that fits nowhere is tried again when the cluster changes, and at the latest after this. */
const tryAgainMs = 300_000;
/** Decisions are made one by one; so many bindings may be on their way to the server. */
const maxBindings = 16;

export function createScheduler(options: SchedulerOptions): Component {
  const { client, clock, log, metrics, schedulerName = "default-scheduler" } = options;
  const all = createInformers({ source: client, clock, log });
  const informers = createSchedulerInformers(all);
  const { nodes, pods, services, namespaces, claims, volumes, storageClasses, budgets } = informers;
  const cache = new ClusterCache(informers);
  const recorder = createEventRecorder({ client, clock, log, component: schedulerName });
  /** Pods that fit nowhere, by key. */
  const waiting = new Map<string, Pod>();

  const reconciler = createReconciler({
    name: "scheduler",
    clock,
    log,
    waitFor: [nodes, pods, services, namespaces, claims, volumes, storageClasses, budgets],
    concurrency: maxBindings,
    ...(metrics === undefined ? {} : { metrics }),
    reconcile: async (key) => {
      const pod = pods.store.get(key);
      waiting.delete(key);
      if (pod === undefined || !isPending(pod, schedulerName) || cache.isAssumed(pod)) return undefined;
      if ((pod.spec?.schedulingGates ?? []).length > 0) {
        await setCondition(options, pod, {
          reason: "SchedulingGated",
          message: "Scheduling is blocked due to non-empty scheduling gates",
        });
        return undefined;
      }
      const decision = schedulePod(pod, cache);
      if (decision.node !== undefined) {
        await bind(pod, decision.node);
        return undefined;
      }
      waiting.set(key, pod);
      const refusal = refusalOf(pod);
      const preemption =
        refusal === undefined
          ? planPreemption(pod, cache, {
              budgets: budgets.store.list(),
              isHopeless: (name) => decision.hopeless.has(name),
            })
          : undefined;
      const message =
        preemption === undefined
          ? refusal === undefined
            ? decision.message
            : `${decision.summary} preemption: ${refusal}.`
          : decision.summary;
      recorder.event(referenceTo(resources.pods, pod), { type: "Warning", reason: "FailedScheduling", message });
      if (preemption !== undefined) cache.nominate(pod, preemption.node);
      await setCondition(options, pod, { reason: "Unschedulable", message }, preemption?.node);
      if (preemption !== undefined) await preempt(options, recorder, { pod, ...preemption });
      return { requeueAfterMs: tryAgainMs };
    },
  });

  /** Why the pod must not make others go. */
  const refusalOf = (pod: Pod): string | undefined => {
    if (pod.spec?.preemptionPolicy === "Never") return "not eligible due to preemptionPolicy=Never";
    const node = cache.nominationOf(pod);
    if (node === undefined) return undefined;
    const isLeaving = pods.store
      .byIndex("node", node)
      .some((other) => other.metadata?.deletionTimestamp !== undefined && priorityOf(other) < priorityOf(pod));
    return isLeaving ? "not eligible due to a terminating pod on the nominated node" : undefined;
  };

  const bind = async (pod: Pod, node: string): Promise<void> => {
    cache.assume(pod, node);
    try {
      await client.createSubresource(resources.pods, keyOf(pod), "binding", bindingOf(pod, node));
    } catch (error) {
      cache.forget(pod);
      // Deleted meanwhile, or bound by another.
      if (error instanceof ApiError && (error.code === 404 || error.code === 409)) return;
      throw error;
    }
    recordBinding(recorder, pod, node);
  };

  const retryWaiting = (isWorthIt: (pod: Pod) => boolean): void => {
    const worth = [...waiting].filter(([, pod]) => isWorthIt(pod));
    for (const [key] of worth.toSorted(([, a], [, b]) => byImportance(a, b))) reconciler.enqueue(key);
  };

  reconciler.on(pods, ({ key, current }) => {
    if (current === undefined) waiting.delete(key);
    return current !== undefined && isPending(current, schedulerName) && !waiting.has(key) ? [key] : [];
  });
  pods.onChange((change) => {
    const help = helpOf(change);
    if (help !== undefined) retryWaiting(help === "room" ? () => true : wantsCompany);
    else if (hasChangedItself(change) && waiting.has(change.key)) reconciler.enqueue(change.key);
  });
  nodes.onChange((change) => {
    if (mayTakeMore(change)) retryWaiting(() => true);
  });

  claims.onChange(() => retryWaiting(hasClaims));
  volumes.onChange(() => retryWaiting(hasClaims));

  return {
    name: "kube-scheduler",
    ready: reconciler.ready,
    run: async (signal) => {
      await Promise.all([all.run(signal), recorder.run(signal), reconciler.run(signal)]);
    },
  };
}

function isPending(pod: Pod, schedulerName: string): boolean {
  const { nodeName = "", schedulerName: wanted = "default-scheduler" } = pod.spec ?? {};
  const isLeaving = pod.metadata?.deletionTimestamp !== undefined;
  return nodeName === "" && wanted === schedulerName && !isLeaving && !isPodTerminal(pod);
}

function bindingOf(pod: Pod, node: string) {
  const { name, namespace, uid } = pod.metadata ?? {};
  return {
    apiVersion: "v1",
    kind: "Binding",
    metadata: { name, namespace, uid },
    target: { apiVersion: "v1", kind: "Node", name: node },
  };
}

function recordBinding(recorder: EventRecorder, pod: Pod, node: string): void {
  recorder.event(referenceTo(resources.pods, pod), {
    type: "Normal",
    reason: "Scheduled",
    message: `Successfully assigned ${keyText(keyOf(pod))} to ${node}`,
  });
}

/** Writes PodScheduled=False; nothing where it says so already. */
async function setCondition(
  { client, clock }: SchedulerOptions,
  pod: Pod,
  { reason, message }: { readonly reason: string; readonly message: string },
  nominatedNodeName?: string,
): Promise<void> {
  const known = podCondition(pod, "PodScheduled");
  if (
    known?.status === "False" &&
    known.reason === reason &&
    known.message === message &&
    nominatedNodeName === undefined
  )
    return;
  const time = new Date(clock.now()).toISOString().replace(/\.\d+Z$/, "Z");
  const lastTransitionTime = known?.status === "False" ? (known.lastTransitionTime ?? time) : time;
  const condition = { type: "PodScheduled", status: "False", reason, message, lastTransitionTime };
  const body = {
    metadata: { uid: pod.metadata?.uid },
    status: { conditions: [condition], ...(nominatedNodeName === undefined ? {} : { nominatedNodeName }) },
  };
  try {
    await client.patch(resources.pods, keyOf(pod), { type: "strategic", body }, { subresource: "status" });
  } catch (error) {
    if (!(error instanceof ApiError && (error.code === 404 || error.code === 409))) throw error;
  }
}

/** What a change of a pod can do for those that wait: a place is free, or somebody to be beside is there. */
function helpOf({ current, previous }: Change<Pod>): "room" | "company" | undefined {
  const wasPlaced = (previous?.spec?.nodeName ?? "") !== "" && !isPodTerminal(previous ?? {});
  const isPlaced = (current?.spec?.nodeName ?? "") !== "" && !isPodTerminal(current ?? {});
  if (wasPlaced && !isPlaced) return "room";
  if (!isPlaced) return undefined;
  if (!wasPlaced) return "company";
  return isSame(current?.metadata?.labels, previous?.metadata?.labels) ? undefined : "room";
}

/** Whether the pod may wait for other pods to come. */
function wantsCompany({ spec }: Pod): boolean {
  const wanted = spec?.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  return wanted.length > 0 || (spec?.topologySpreadConstraints ?? []).length > 0;
}

function hasClaims({ spec }: Pod): boolean {
  return spec?.volumes?.some(({ persistentVolumeClaim }) => persistentVolumeClaim !== undefined) === true;
}

/** What the pod asks for is another; its status does not count. */
function hasChangedItself({ current, previous }: Change<Pod>): boolean {
  return current !== undefined && previous !== undefined && !isSame(podFacts(current), podFacts(previous));
}

function podFacts({ metadata, spec }: Pod): readonly unknown[] {
  return [metadata?.labels, spec];
}

function mayTakeMore({ current, previous }: Change<Node>): boolean {
  return current !== undefined && (previous === undefined || !isSame(nodeFacts(current), nodeFacts(previous)));
}

/** What filters look at. Heartbeats do not count. */
function nodeFacts({ metadata, spec, status }: Node): readonly unknown[] {
  const ready = status?.conditions?.find(({ type }) => type === "Ready")?.status;
  return [metadata?.labels, spec?.taints, spec?.unschedulable, status?.allocatable, ready];
}
