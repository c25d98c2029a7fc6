/** What the scheduler knows of nodes and pods, decisions that are still on their way to the server included. */
import type { Node, Pod } from "../../api/generated/types.ts";
import { matchesSelector } from "../../lib/labels/index.ts";
import type { StructuredSelector } from "../../lib/labels/index.ts";
import { naturalOrder } from "../../lib/natural-order/index.ts";
import { nodeState, volumesOfPod, withPod } from "../../model/scheduling/index.ts";
import type { ClusterView, NodeState, PodVolumes } from "../../model/scheduling/index.ts";
import { controllerOf, isPodTerminal, isSame } from "../../model/workload/index.ts";
import { labelEntry } from "./informers.ts";
import type { SchedulerInformers } from "./informers.ts";

export class ClusterCache implements ClusterView {
  readonly #informers: SchedulerInformers;
  /** By uid: bound in our mind, not yet as the informer shows it. */
  readonly #assumed = new Map<string, { readonly pod: Pod; readonly node: string }>();
  /** By uid: pods for which room is being made. */
  readonly #nominated = new Map<string, { readonly pod: Pod; readonly node: string }>();
  /** Added up once, until something on the node changes. */
  readonly #states = new Map<string, NodeState>();
  #nodes: readonly NodeState[] | undefined;
  /** The names of all nodes in order. */
  #sorted: readonly string[] | undefined;

  constructor(informers: SchedulerInformers) {
    this.#informers = informers;
    informers.nodes.onChange(({ key, current, previous }) => {
      if (current === undefined || previous === undefined) this.#sorted = undefined;
      this.#forgetState(key);
    });
    informers.pods.onChange(({ current, previous }) => this.#podChanged(current, previous));
  }

  /** Counts the pod on the node from now on, before the server knows. */
  assume(pod: Pod, node: string): void {
    this.#assumed.set(pod.metadata?.uid ?? "", { pod, node });
    const state = this.#states.get(node);
    this.#forgetState(node);
    if (state !== undefined) this.#states.set(node, withPod(state, pod));
  }

  /** Keeps the room on the node for the pod until it is placed or gone. */
  nominate(pod: Pod, node: string): void {
    this.#nominated.set(pod.metadata?.uid ?? "", { pod, node });
  }

  nominationOf(pod: Pod): string | undefined {
    return this.#nominated.get(pod.metadata?.uid ?? "")?.node ?? pod.status?.nominatedNodeName;
  }

  get nominated(): ClusterView["nominated"] {
    return this.#nominated.size === 0 ? [] : [...this.#nominated.values()];
  }

  /** The binding failed. */
  forget(pod: Pod): void {
    const assumed = this.#assumed.get(pod.metadata?.uid ?? "");
    if (assumed === undefined) return;
    this.#assumed.delete(pod.metadata?.uid ?? "");
    this.#forgetState(assumed.node);
  }

  isAssumed(pod: Pod): boolean {
    return this.#assumed.has(pod.metadata?.uid ?? "");
  }

  get nodes(): readonly NodeState[] {
    const { store } = this.#informers.nodes;
    this.#sorted ??= store
      .list()
      .map(({ metadata }) => metadata?.name ?? "")
      .toSorted(naturalOrder);
    this.#nodes ??= this.#sorted.flatMap((name) => {
      const node = store.get(name);
      return node === undefined || node.metadata?.deletionTimestamp !== undefined ? [] : [this.#stateOf(node)];
    });
    return this.#nodes;
  }

  get podsWithAntiAffinity(): readonly Pod[] {
    return this.#informers.pods.store.byIndex("antiAffinity", "").filter((pod) => this.#isPlaced(pod));
  }

  podsMatching(selector: StructuredSelector, namespace: string | undefined): readonly Pod[] {
    const { pods } = this.#informers;
    const candidates =
      namespace === undefined
        ? pods.store.list()
        : (rarest(Object.entries(selector.matchLabels ?? {}), (pair) =>
            pods.store.byIndex("label", labelEntry(namespace, pair)),
          ) ?? pods.store.byIndex("namespace", namespace));
    return candidates.filter((pod) => this.#isPlaced(pod) && matchesSelector(selector, pod.metadata?.labels ?? {}));
  }

  nodeOf(pod: Pod): string | undefined {
    return this.#assumed.get(pod.metadata?.uid ?? "")?.node ?? pod.spec?.nodeName;
  }

  namespaceLabels(name: string): Readonly<Record<string, string>> {
    return this.#informers.namespaces.store.get(name)?.metadata?.labels ?? {};
  }

  volumesOf(pod: Pod): PodVolumes {
    const { claims, volumes, storageClasses } = this.#informers;
    return volumesOfPod(pod, {
      claim: (namespace, name) => claims.store.get(`${namespace}/${name}`),
      volume: (name) => volumes.store.get(name),
      storageClass: (name) => storageClasses.store.get(name),
    });
  }

  likePod(pod: Pod): readonly Pod[] {
    const like = new Map<string, Pod>();
    const addAll = (pods: readonly Pod[]): void => {
      for (const other of pods) if (this.#isPlaced(other)) like.set(other.metadata?.uid ?? "", other);
    };
    const controller = controllerOf(pod);
    if (controller !== undefined) {
      // A revision is spread by itself: the pods of the former one are about to go.
      addAll(this.#informers.pods.store.byIndex("controller", controller.uid));
      return [...like.values()];
    }
    const namespace = pod.metadata?.namespace ?? "";
    for (const pair of Object.entries(pod.metadata?.labels ?? {})) {
      for (const service of this.#informers.services.store.byIndex("selector", labelEntry(namespace, pair))) {
        const selector = { matchLabels: service.spec?.selector ?? {} };
        if (matchesSelector(selector, pod.metadata?.labels ?? {})) addAll(this.podsMatching(selector, namespace));
      }
    }
    return [...like.values()];
  }

  #isPlaced(pod: Pod): boolean {
    return (this.nodeOf(pod) ?? "") !== "" && !isPodTerminal(pod);
  }

  #stateOf(node: Node): NodeState {
    const name = node.metadata?.name ?? "";
    const known = this.#states.get(name);
    if (known !== undefined) return known;
    const bound = this.#informers.pods.store.byIndex("node", name).filter((pod) => !isPodTerminal(pod));
    const assumed = [...this.#assumed.values()].filter((entry) => entry.node === name).map(({ pod }) => pod);
    const state = nodeState(node, [...bound, ...assumed]);
    this.#states.set(name, state);
    return state;
  }

  #podChanged(current: Pod | undefined, previous: Pod | undefined): void {
    const uid = (current ?? previous)?.metadata?.uid ?? "";
    if ((current?.spec?.nodeName ?? "") !== "" || isPodTerminal(current ?? {}) || current === undefined) {
      this.#nominated.delete(uid);
    }
    const assumed = this.#assumed.get(uid);
    const node = current?.spec?.nodeName ?? "";
    if (assumed !== undefined && (current === undefined || node !== "")) {
      this.#assumed.delete(uid);
      // As it was assumed: the sums are right already.
      if (node === assumed.node && !isPodTerminal(current ?? {})) return;
      this.#forgetState(assumed.node);
    }
    const isOnlyStatus =
      current !== undefined &&
      previous !== undefined &&
      isPodTerminal(current) === isPodTerminal(previous) &&
      isSame(current.spec, previous.spec);
    if (isOnlyStatus) return;
    for (const pod of [current, previous]) if (pod?.spec?.nodeName) this.#forgetState(pod.spec.nodeName);
  }

  #forgetState(node: string): void {
    this.#states.delete(node);
    this.#nodes = undefined;
  }
}

/** The shortest of the lists; undefined where there is none. */
function rarest<K, T>(keys: readonly K[], listOf: (key: K) => readonly T[]): readonly T[] | undefined {
  return keys.map(listOf).toSorted((a, b) => a.length - b.length)[0];
}
