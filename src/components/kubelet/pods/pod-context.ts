/** What the parts that lead pods are given. */
import type { Pod } from "../../../api/generated/types.ts";
import type { ApiClient } from "../../../client/api-client.ts";
import type { Clock } from "../../../machinery/clock.ts";
import type { Logger } from "../../../machinery/log.ts";
import type { PodFacts } from "../../../model/pod-lifecycle/index.ts";
import type { KubeletMetrics } from "../metrics.ts";
import type { KubeletOptions } from "../options.ts";
import type { Followers } from "../volumes/followers.ts";
import type { PodVolumes } from "../volumes/pod-volumes.ts";
import type { StartContext } from "./start-container.ts";

/** Shared by all pods of the node. */
export interface PodWorkerContext extends StartContext {
  readonly options: KubeletOptions;
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: KubeletMetrics;
  readonly volumes: PodVolumes;
  readonly followers: Followers;
  readonly allocatable: { readonly cpuMilli: number; readonly memoryBytes: number };
  /** Upstream's refusals (a taken host port), asked once, before anything is done for the pod. */
  readonly admit: (pod: Pod) => PodFacts["rejection"];
  /** Whether a Service may be sending connections to the pod. */
  readonly isServed: (pod: Pod) => boolean;
}

/** What the parts that handle a pod's containers share. */
export interface PodScope {
  readonly context: PodWorkerContext;
  readonly pod: () => Pod;
  readonly podIp: () => string;
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** Something is known that was not before: plan anew. */
  readonly onChange: () => void;
}
