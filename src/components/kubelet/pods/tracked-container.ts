/** What is known of one container while its pod is led. */
import { type ContainerFacts, noFacts } from "../../../model/pod-lifecycle/index.ts";

type Changing<T> = { -readonly [Key in keyof T]: T[Key] };

/** The facts for the planners, and beside them what only the pod's worker needs. */
export interface TrackedContainer extends Changing<ContainerFacts> {
  /** Ends the probes of the current run. */
  probes: AbortController | undefined;
  /** When the runtime was told to kill it, where a stop is under way. */
  killAtMs: number | undefined;
  /** What was said last in an event, so that each wait is announced once. */
  announced: string;
}

export function trackContainer(): TrackedContainer {
  return {
    ...noFacts,
    probes: undefined,
    killAtMs: undefined,
    announced: "",
  };
}
