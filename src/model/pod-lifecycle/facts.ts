/** What the planners of a pod's life know: the object as the API has it, and what its containers do on the node. */
import type { Container, Pod } from "../../api/generated/types.ts";
import type { BackOff } from "./back-off.ts";

/** One run of a container, as the runtime last told. */
export interface ContainerRun {
  readonly id: string;
  /** How often the container had been restarted when this run began. */
  readonly attempt: number;
  /** The node was switched off under it: the runtime knows nothing of it, the API remembers it. */
  readonly isLost?: boolean;
  /** As status reports it: "docker.io/library/nginx:1.27". */
  readonly image: string;
  readonly imageId: string;
  readonly state:
    | { readonly type: "running"; readonly startedAtMs: number }
    | {
        readonly type: "exited";
        /** 0 where it never started. */
        readonly startedAtMs: number;
        readonly finishedAtMs: number;
        readonly exitCode: number;
        readonly signal: number;
        /** "Completed", "Error", "OOMKilled", "StartError". */
        readonly reason: string;
        readonly message: string;
      };
}

/** Why a container could not be started, and when that is tried again. */
export interface StartFailure {
  /** "ErrImagePull", "CreateContainerConfigError", "RunContainerError", … */
  readonly reason: string;
  readonly message: string;
  /** What status shows after `failureVisibleMs`, where that differs: "ImagePullBackOff". */
  readonly later?: { readonly reason: string; readonly message: string };
  readonly failedAtMs: number;
  readonly retryAtMs: number;
}

/** A probe found the container beyond repair; the text goes into the event. */
export type KillCause = "liveness" | "startup";

export interface ContainerFacts {
  /** The newest run; undefined: there was none. */
  readonly current: ContainerRun | undefined;
  /** The ended run before it. */
  readonly previous: ContainerRun | undefined;
  readonly activity: "none" | "starting" | "stopping";
  readonly failure: StartFailure | undefined;
  /** The hook after its start is done and the startup probe, if any, has passed. */
  readonly isStarted: boolean;
  /** The readiness probe's last result; true where there is none. */
  readonly isReady: boolean;
  readonly killCause: KillCause | undefined;
  readonly backOff: BackOff | undefined;
}

export interface PodFacts {
  readonly pod: Pod;
  readonly nowMs: number;
  /** "none" also after it was taken down. */
  readonly sandbox: "none" | "busy" | "ready";
  /** When the next try to make the sandbox is due, after a failure; 0: at once. */
  readonly sandboxRetryAtMs: number;
  /** Kept after the sandbox is gone: a completed pod still shows its address. */
  readonly ips: readonly string[];
  readonly hostIps: readonly string[];
  /** When this node first saw the pod. */
  readonly startTimeMs: number;
  readonly containers: ReadonlyMap<string, ContainerFacts>;
  /** The pod is no longer in the API. */
  readonly isGone: boolean;
  /** The node refused it, or ended it: shown with phase Failed. */
  readonly rejection: { readonly reason: string; readonly message: string } | undefined;
}

/** How long a failure is shown under its own name before the back-off's name replaces it, as upstream's sync delay has it. */
export const failureVisibleMs = 1000;

/** Of a container that was never seen. */
export const noFacts: ContainerFacts = {
  current: undefined,
  previous: undefined,
  activity: "none",
  failure: undefined,
  isStarted: false,
  isReady: false,
  killCause: undefined,
  backOff: undefined,
};

export function factsOf(facts: PodFacts, name: string): ContainerFacts {
  return facts.containers.get(name) ?? noFacts;
}

/** An init container that is kept running beside the main containers. */
export function isSidecar(container: Pick<Container, "restartPolicy">): boolean {
  return container.restartPolicy === "Always";
}

export function isRunning(facts: ContainerFacts): boolean {
  return facts.current?.state.type === "running";
}

/** Whether any of the pod's processes may live. */
export function mayRun(facts: PodFacts): boolean {
  return [...facts.containers.values()].some((container) => isRunning(container) || container.activity !== "none");
}
