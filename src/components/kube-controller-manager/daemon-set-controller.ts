/** Keeps a pod of each DaemonSet on every node that should have one. */
import { resources } from "../../api/resources.ts";
import type { DaemonSet, DaemonSetStatus, Node, Pod } from "../../api/generated/types.ts";
import { matchesSelector } from "../../lib/labels/index.ts";
import { referenceTo } from "../../machinery/events/index.ts";
import { revisionHashLabel } from "../../model/controller-revision/index.ts";
import { planDaemonSet } from "../../model/daemon-set/index.ts";
import { claim, isSame } from "../../model/workload/index.ts";
import { adopt, release } from "./adoption.ts";
import { isNamespaceTerminating } from "./answers.ts";
import type { ControllerContext, CreateController } from "./context.ts";
import { reconcilerOf } from "./context.ts";
import { ownKey, textOf } from "./keys.ts";
import { createPodControl } from "./pod-control.ts";
import { ownersOf } from "./pod-owners.ts";
import { claimRevisions, newestRevision, removeSurplusRevisions } from "./revision-control.ts";
import { slowStart } from "./slow-start.ts";

const { daemonSets: resource } = resources;

/** How long a daemon that keeps ending waits before it is made again: doubled each time. */
const [firstBackOffMs, maxBackOffMs] = [1000, 900_000];

export const createDaemonSetController: CreateController = (context) => {
  const { client, clock, informers } = context;
  const { daemonSets, nodes, pods, controllerRevisions } = informers;
  const recorder = context.recorder("daemonset-controller");
  const control = createPodControl(context, { resource, recorder });
  const backOff = createBackOff();

  const reconcile = async (key: string): Promise<{ readonly requeueAfterMs: number } | undefined> => {
    const set = daemonSets.store.get(key);
    if (set === undefined) return undefined;
    const about = referenceTo(resource, set);
    if (selectsEverything(set)) {
      const message = "This daemon set is selecting all pods. A non-empty selector is required.";
      recorder.event(about, { type: "Warning", reason: "SelectingAll", message });
      return undefined;
    }
    const historic = { resource, owner: set, hashLabel: revisionHashLabel };
    const own = await claimPods(context, set);
    const revisions = await claimRevisions(context, historic);
    const collisions = set.status?.collisionCount ?? 0;
    const newest = await newestRevision(context, historic, { revisions, collisions });
    if (newest === undefined) {
      await writeStatus(set, { ...emptyStatus, ...set.status, collisionCount: collisions + 1 });
      return undefined;
    }
    const hash = newest.metadata?.labels?.[revisionHashLabel] ?? "";
    const now = clock.now();
    const plan = planDaemonSet({ set, nodes: nodes.store.list(), pods: own, hash, deleting: control.deleting, now });
    await writeStatus(set, plan.status);
    const delays = await removeEnded(set, plan.ended);
    await Promise.all(plan.remove.map((pod) => control.remove(set, pod)));
    const waiting = [...plan.create];
    const failed = await slowStart(waiting.length, async () => {
      const pod = waiting.shift();
      if (pod !== undefined) await control.create(set, pod);
    });
    if (failed !== undefined && !isNamespaceTerminating(failed)) throw failed;
    await removeSurplusRevisions(context, historic, {
      revisions,
      isLive: ({ metadata }) => {
        const ownHash = metadata?.labels?.[revisionHashLabel];
        return ownHash === hash || own.some((pod) => pod.metadata?.labels?.[revisionHashLabel] === ownHash);
      },
    });
    const waits = [...delays, plan.lookAgainAfterMs].filter((wait) => wait !== undefined);
    return waits.length === 0 ? undefined : { requeueAfterMs: Math.min(...waits) };
  };

  /** Returns for how long those stay that have to wait. */
  const removeEnded = async (set: DaemonSet, ended: readonly Pod[]): Promise<readonly number[]> => {
    const delays: number[] = [];
    for (const pod of ended) {
      const { name = "", namespace = "" } = pod.metadata ?? {};
      const node = pod.spec?.nodeName ?? "";
      const delay = backOff.delayMs(`${set.metadata?.uid ?? ""} ${node}`, clock.now());
      if (delay > 0) {
        delays.push(delay);
        continue;
      }
      const isFailed = pod.status?.phase === "Failed";
      recorder.event(referenceTo(resource, set), {
        type: isFailed ? "Warning" : "Normal",
        reason: isFailed ? "FailedDaemonPod" : "SucceededDaemonPod",
        message: isFailed
          ? `Found failed daemon pod ${namespace}/${name} on node ${node}, will try to kill it`
          : `Found succeeded daemon pod ${namespace}/${name} on node ${node}, will try to delete it`,
      });
      await control.remove(set, pod);
    }
    return delays;
  };

  const writeStatus = async (set: DaemonSet, status: DaemonSetStatus): Promise<void> => {
    if (isSame(status, set.status)) return;
    daemonSets.observe(await client.update(resource, { ...set, status }, { subresource: "status" }));
  };

  const reconciler = reconcilerOf(context, {
    name: "daemonset",
    waitFor: [daemonSets, nodes, pods, controllerRevisions],
    concurrency: 2,
    reconcile,
  });
  reconciler.on(daemonSets, ownKey);
  reconciler.on(pods, (change) => ownersOf(daemonSets, change));
  reconciler.on(nodes, ({ current, previous }) =>
    isSame(nodeFacts(current), nodeFacts(previous)) ? [] : daemonSets.store.list().map(textOf),
  );
  return reconciler;
};

const emptyStatus: DaemonSetStatus = {
  currentNumberScheduled: 0,
  desiredNumberScheduled: 0,
  numberMisscheduled: 0,
  numberReady: 0,
};

function selectsEverything({ spec }: DaemonSet): boolean {
  const { matchLabels = {}, matchExpressions = [] } = spec?.selector ?? {};
  return Object.keys(matchLabels).length === 0 && matchExpressions.length === 0;
}

/** What decides whether a node has the pod. Heartbeats do not. */
function nodeFacts(node: Node | undefined): readonly unknown[] {
  if (node === undefined) return [];
  const { metadata, spec } = node;
  return [metadata?.name, metadata?.labels, metadata?.deletionTimestamp, spec?.taints, spec?.unschedulable];
}

async function claimPods(context: ControllerContext, set: DaemonSet): Promise<readonly Pod[]> {
  const { pods } = context.informers;
  const { uid = "", namespace = "" } = set.metadata ?? {};
  const claims = claim([...pods.store.byIndex("owner", uid), ...pods.store.byIndex("orphan", namespace)], {
    owner: set,
    matches: ({ metadata }) => matchesSelector(set.spec?.selector, metadata?.labels ?? {}),
  });
  for (const pod of claims.adopt) await adopt(context, { resource, owner: set }, pods, pod);
  for (const pod of claims.release) await release(context, set, pods, pod);
  return claims.claimed.map((pod) => pods.store.get(textOf(pod)) ?? pod);
}

/** The pauses between the removals of ended pods, by set and node. */
function createBackOff() {
  const entries = new Map<string, { readonly at: number; readonly pauseMs: number }>();
  return {
    /** 0: now, and the next pause begins. */
    delayMs: (key: string, now: number): number => {
      const last = entries.get(key);
      // In the future it was where the clock has been set back since.
      if (last !== undefined && last.at <= now && now < last.at + last.pauseMs) return last.at + last.pauseMs - now;
      const isOld = ({ at }: { readonly at: number }): boolean => now > at + 2 * maxBackOffMs;
      const isLongAgo = last === undefined || isOld(last);
      // Of sets and nodes that are gone nobody asks again.
      for (const [other, entry] of entries) if (isOld(entry)) entries.delete(other);
      entries.set(key, { at: now, pauseMs: isLongAgo ? firstBackOffMs : Math.min(last.pauseMs * 2, maxBackOffMs) });
      return 0;
    },
  };
}
