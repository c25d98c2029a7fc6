/** What is known of one container while its pod is led. */
import type {
  BackOff,
  ContainerFacts,
  ContainerRun,
  KillCause,
  StartFailure,
} from "../../../model/pod-lifecycle/index.ts";

export interface TrackedContainer {
  current: ContainerRun | undefined;
  previous: ContainerRun | undefined;
  activity: ContainerFacts["activity"];
  failure: StartFailure | undefined;
  isStarted: boolean;
  isReady: boolean;
  killCause: KillCause | undefined;
  backOff: BackOff | undefined;
  /** Ends the probes of the current run. */
  probes: AbortController | undefined;
  /** When the runtime was told to kill it, where a stop is under way. */
  killAtMs: number | undefined;
  /** What was said last in an event, so that each wait is announced once. */
  announced: string;
}

export function trackContainer(): TrackedContainer {
  return {
    current: undefined,
    previous: undefined,
    activity: "none",
    failure: undefined,
    isStarted: false,
    isReady: false,
    killCause: undefined,
    backOff: undefined,
    probes: undefined,
    killAtMs: undefined,
    announced: "",
  };
}
