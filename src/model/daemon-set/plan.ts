/** What a DaemonSet has to do: one pod on each node that should have one, and step by step from the newest template. */
import type { DaemonSet, DaemonSetStatus, Node, Pod } from "../../api/generated/types.ts";
import { revisionHashLabel } from "../controller-revision/index.ts";
import { availableAtMs, isPodReady, isPodTerminal, resolveShare } from "../workload/index.ts";
import { daemonPod, eligibility, nodeNameOf } from "./daemon-pod.ts";

export interface DaemonSetInput {
  readonly set: DaemonSet;
  readonly nodes: readonly Node[];
  /** Those it owns. */
  readonly pods: readonly Pod[];
  /** Of the present template. */
  readonly hash: string;
  /** Uids of pods whose deletion was asked for though the pods do not show it yet. */
  readonly deleting: ReadonlySet<string>;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface DaemonSetPlan {
  readonly create: readonly Pod[];
  readonly remove: readonly Pod[];
  /** Pods that have ended and are removed so as to be made again. */
  readonly ended: readonly Pod[];
  readonly status: DaemonSetStatus;
  readonly lookAgainAfterMs: number | undefined;
}

/** A node with the set's pods on it. */
interface Place {
  readonly node: string;
  readonly shouldRun: boolean;
  readonly mayStay: boolean;
  /** All, those that leave included; the oldest first. */
  readonly pods: readonly Pod[];
}

export function planDaemonSet(input: DaemonSetInput): DaemonSetPlan {
  const { set, now } = input;
  const places = placesOf(input);
  const isSetLeaving = set.metadata?.deletionTimestamp !== undefined;
  const status = statusOf(input, places);
  const minReadySeconds = set.spec?.minReadySeconds ?? 0;
  const waits = input.pods
    .map((pod) => (availableAtMs(pod, minReadySeconds) ?? 0) - now)
    .filter((waitMs) => waitMs > 0);
  const lookAgainAfterMs = waits.length === 0 ? undefined : Math.min(...waits);
  if (isSetLeaving) return { create: [], remove: [], ended: [], status, lookAgainAfterMs };
  const keep = keepOnePerNode(input, places);
  const isRolling = set.spec?.updateStrategy?.type !== "OnDelete";
  const isSettled = keep.create.length + keep.remove.length + keep.ended.length === 0;
  const roll = isRolling && isSettled ? rollingStep(input, places) : { create: [], remove: [] };
  return {
    create: [...keep.create, ...roll.create],
    remove: [...keep.remove, ...roll.remove],
    ended: keep.ended,
    status,
    lookAgainAfterMs,
  };
}

function placesOf({ set, nodes, pods }: DaemonSetInput): readonly Place[] {
  const byNode = Map.groupBy(pods, (pod) => nodeNameOf(pod) ?? "");
  const names = new Set(nodes.map(({ metadata }) => metadata?.name ?? ""));
  const places = nodes
    .filter(({ metadata }) => metadata?.deletionTimestamp === undefined)
    .map((node) => {
      const name = node.metadata?.name ?? "";
      return { node: name, ...eligibility(set, node), pods: (byNode.get(name) ?? []).toSorted(byAge) };
    });
  // Not yet bound and of a node that is gone: nobody else will remove them.
  const lost = [...byNode]
    .filter(([name]) => !names.has(name))
    .map(([node, left]) => ({
      node,
      shouldRun: false,
      mayStay: false,
      pods: left.filter(({ spec }) => (spec?.nodeName ?? "") === ""),
    }));
  return [...places, ...lost.filter(({ pods: left }) => left.length > 0)];
}

function byAge(a: Pod, b: Pod): number {
  return (a.metadata?.creationTimestamp ?? "") < (b.metadata?.creationTimestamp ?? "") ? -1 : 1;
}

function keepOnePerNode(
  input: DaemonSetInput,
  places: readonly Place[],
): Pick<DaemonSetPlan, "create" | "remove" | "ended"> {
  const { set, hash } = input;
  const create: Pod[] = [];
  const remove: Pod[] = [];
  const ended: Pod[] = [];
  for (const { node, shouldRun, mayStay, pods } of places) {
    const staying = pods.filter((pod) => !isLeaving(input, pod));
    if (!mayStay) {
      remove.push(...staying);
      continue;
    }
    const terminal = staying.filter(isPodTerminal);
    ended.push(...terminal);
    const running = staying.filter((pod) => !isPodTerminal(pod));
    if (pods.length === 0 && shouldRun) create.push(daemonPod(set, { node, hash }));
    remove.push(...surplus(input, running));
  }
  return { create, remove, ended };
}

/** While one replaces the other there may be an old and a new pod; else the oldest stays. */
function surplus(input: DaemonSetInput, running: readonly Pod[]): readonly Pod[] {
  const ofEachTemplate = [running.filter((pod) => isNew(input, pod)), running.filter((pod) => !isNew(input, pod))];
  if (surgeOf(input) === 0) return running.slice(1);
  return ofEachTemplate.flatMap((same) => same.slice(1));
}

function rollingStep(input: DaemonSetInput, places: readonly Place[]): Pick<DaemonSetPlan, "create" | "remove"> {
  const wanted = places.filter(({ shouldRun }) => shouldRun);
  return surgeOf(input) > 0 ? surgeStep(input, wanted) : replaceStep(input, wanted);
}

/** Old pods that do not serve go at once; of those that do as many as may be missing. */
function replaceStep(input: DaemonSetInput, places: readonly Place[]): Pick<DaemonSetPlan, "create" | "remove"> {
  const { rollingUpdate } = input.set.spec?.updateStrategy ?? {};
  const share = { of: places.length, round: Math.ceil };
  const limit = resolveShare(rollingUpdate?.maxUnavailable ?? 1, share);
  const idle: Pod[] = [];
  const serving: Pod[] = [];
  let unavailable = 0;
  for (const { pods } of places) {
    const staying = pods.filter((pod) => !isLeaving(input, pod));
    const old = staying.filter((pod) => !isNew(input, pod));
    const isServed = staying.some((pod) => isAvailable(input, pod));
    if (!isServed) unavailable += 1;
    for (const pod of old) (isServed ? serving : idle).push(pod);
  }
  return { create: [], remove: [...idle, ...serving.slice(0, Math.max(limit - unavailable, 0))] };
}

/** A new pod beside each of so many old ones, which go once the new ones serve. */
function surgeStep(input: DaemonSetInput, places: readonly Place[]): Pick<DaemonSetPlan, "create" | "remove"> {
  const limit = surgeOf(input);
  const create: Pod[] = [];
  const remove: Pod[] = [];
  let surging = 0;
  const waiting: Place[] = [];
  for (const place of places) {
    const staying = place.pods.filter((pod) => !isLeaving(input, pod));
    const old = staying.filter((pod) => !isNew(input, pod));
    const fresh = staying.find((pod) => isNew(input, pod));
    if (old.length === 0) continue;
    if (fresh !== undefined && isAvailable(input, fresh)) remove.push(...old);
    else if (fresh !== undefined) surging += 1;
    // An old one that does not serve loses nothing by going first.
    else if (!old.some((pod) => isAvailable(input, pod))) remove.push(...old);
    else waiting.push(place);
  }
  for (const { node } of waiting.slice(0, Math.max(limit - surging, 0))) {
    create.push(daemonPod(input.set, { node, hash: input.hash }));
  }
  return { create, remove };
}

function surgeOf({ set, nodes }: DaemonSetInput): number {
  const { type, rollingUpdate } = set.spec?.updateStrategy ?? {};
  if (type === "OnDelete") return 0;
  return resolveShare(rollingUpdate?.maxSurge ?? 0, { of: nodes.length, round: Math.ceil });
}

function isLeaving({ deleting }: DaemonSetInput, { metadata }: Pod): boolean {
  return metadata?.deletionTimestamp !== undefined || deleting.has(metadata?.uid ?? "");
}

function isNew({ hash }: DaemonSetInput, { metadata }: Pod): boolean {
  return metadata?.labels?.[revisionHashLabel] === hash;
}

function isAvailable({ set, now }: DaemonSetInput, pod: Pod): boolean {
  return (availableAtMs(pod, set.spec?.minReadySeconds ?? 0) ?? Infinity) <= now;
}

function statusOf(input: DaemonSetInput, places: readonly Place[]): DaemonSetStatus {
  const { set } = input;
  const wanted = places.filter(({ shouldRun }) => shouldRun);
  const staying = ({ pods }: Place): readonly Pod[] => pods.filter((pod) => !isLeaving(input, pod));
  const count = (has: (place: Place) => boolean): number => wanted.filter(has).length;
  const available = count((place) => staying(place).some((pod) => isAvailable(input, pod)));
  return {
    desiredNumberScheduled: wanted.length,
    currentNumberScheduled: count((place) => staying(place).length > 0),
    numberMisscheduled: places.filter((place) => !place.shouldRun && staying(place).length > 0).length,
    numberReady: count((place) => staying(place).some(isPodReady)),
    updatedNumberScheduled: count((place) => staying(place).some((pod) => isNew(input, pod))),
    numberAvailable: available,
    numberUnavailable: wanted.length - available,
    ...(set.metadata?.generation === undefined ? {} : { observedGeneration: set.metadata.generation }),
    ...(set.status?.collisionCount === undefined ? {} : { collisionCount: set.status.collisionCount }),
    ...(set.status?.conditions === undefined ? {} : { conditions: set.status.conditions }),
  };
}
