/** What the scheduler knows of the cluster. */
import type { Pod } from "../../api/generated/types.ts";
import type { StructuredSelector } from "../../lib/labels/index.ts";
import type { NodeState } from "./node-state.ts";
import type { PodVolumes } from "./volumes.ts";

export interface ClusterView {
  /** In a stable order, which decides between equal nodes. */
  readonly nodes: readonly NodeState[];
  /** Pods that wait for a place made for them by preemption. */
  readonly nominated: readonly { readonly pod: Pod; readonly node: string }[];
  /** The pods with these labels that are bound or about to be, in one namespace or (undefined) in all. */
  podsMatching(selector: StructuredSelector, namespace: string | undefined): readonly Pod[];
  /** The pods that refuse others beside them: those with a required anti-affinity. */
  readonly podsWithAntiAffinity: readonly Pod[];
  /** Where a pod is or is about to be. */
  nodeOf(pod: Pod): string | undefined;
  namespaceLabels(name: string): Readonly<Record<string, string>>;
  volumesOf(pod: Pod): PodVolumes;
  /** The pods that do the same work as this one (of its controller, of its Services), by which it is spread. */
  likePod(pod: Pod): readonly Pod[];
}
