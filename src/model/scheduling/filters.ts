/** All filters for one pod, in upstream's order. */
import type { Pod } from "../../api/generated/types.ts";
import { nodeFilters, resourcesFilter } from "./node-filters.ts";
import type { NodeFilter } from "./node-filters.ts";
import type { NodeState } from "./node-state.ts";
import { podAffinityFilter } from "./pod-affinity.ts";
import { topologySpreadFilter } from "./topology-spread.ts";
import type { ClusterView } from "./view.ts";
import { volumeFilter } from "./volumes.ts";

export function filtersFor(pod: Pod, view: ClusterView): readonly NodeFilter[] {
  return [
    ...nodeFilters,
    resourcesFilter(pod),
    volumeFilter(view.volumesOf(pod)),
    topologySpreadFilter(pod, view),
    podAffinityFilter(pod, view),
  ].filter((filter) => filter !== undefined);
}

/** Whether the pod could run on the node as given. */
export function feasibleOn(pod: Pod, node: NodeState, view: ClusterView): boolean {
  return filtersFor(pod, view).every((filter) => filter(pod, node) === undefined);
}
