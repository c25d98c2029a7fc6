/** Runs a container's probes from its start to its end, and tells when their verdict changes. */
import type { Probe } from "../../../api/generated/types.ts";
import type { Clock } from "../../../machinery/clock.ts";
import { runProbe } from "./run-probe.ts";
import type { ProbeTarget } from "./target.ts";

type ProbeKind = "Startup" | "Readiness" | "Liveness";

export interface ProbeListener {
  /** The startup probe passed; called at once where there is none. */
  onStarted(): void;
  onReadiness(isReady: boolean): void;
  /** The threshold of failures was reached: the container is to be killed. */
  onDead(kind: "startup" | "liveness"): void;
  /** One failed try: upstream makes an event of each. */
  onFailedTry(kind: ProbeKind, output: string): void;
  onTry(kind: ProbeKind, result: "successful" | "failed"): void;
}

/** @param options.isStarted - The startup probe passed already, before an agent's restart. */
export function startProbes(options: {
  readonly target: ProbeTarget;
  readonly listener: ProbeListener;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly startedAtMs: number;
  readonly isStarted: boolean;
}): void {
  const { target, listener } = options;
  const { startupProbe, readinessProbe, livenessProbe } = target.container;
  const begin = (): void => {
    listener.onStarted();
    if (readinessProbe !== undefined) {
      void loop("Readiness", readinessProbe, options, (isReady) => {
        listener.onReadiness(isReady);
        return true;
      });
    }
    if (livenessProbe !== undefined) {
      void loop("Liveness", livenessProbe, options, (isAlive) => {
        if (!isAlive) listener.onDead("liveness");
        return isAlive;
      });
    }
  };
  if (startupProbe === undefined || options.isStarted) {
    begin();
    return;
  }
  void loop("Startup", startupProbe, options, (isUp) => {
    if (isUp) begin();
    else listener.onDead("startup");
    return false;
  });
}

/**
 * Waits between the silent tries in a container's first second. Containers are up here within milliseconds: a first try
 * that comes just too early must cost neither a whole period nor a Warning event (upstream's first try comes about a
 * second after the start).
 */
const earlyWaitsMs = [25, 50, 100, 200, 400];

/** `onVerdict` hears each run of results that reached its threshold; it returns whether to go on. */
async function loop(
  kind: ProbeKind,
  probe: Probe,
  options: {
    readonly target: ProbeTarget;
    readonly listener: ProbeListener;
    readonly clock: Clock;
    readonly signal: AbortSignal;
    readonly startedAtMs: number;
  },
  onVerdict: (isSuccess: boolean) => boolean,
): Promise<void> {
  const { target, listener, clock, signal, startedAtMs } = options;
  const periodMs = (probe.periodSeconds ?? 10) * 1000;
  let last: boolean | undefined;
  let streak = 0;
  try {
    const delayMs = (probe.initialDelaySeconds ?? 0) * 1000;
    // Where the clock was set back since the start, the delay counts from now.
    await clock.sleep(Math.min(Math.max(0, startedAtMs + delayMs - clock.now()), delayMs), signal);
    const earlyWaits = earlyWaitsMs.values();
    for (;;) {
      const { isSuccess, output } = await runProbe(probe, target, { clock, signal });
      if (signal.aborted) return;
      const early = isSuccess || last !== undefined ? undefined : earlyWaits.next().value;
      if (early !== undefined) {
        await clock.sleep(early, signal);
        continue;
      }
      listener.onTry(kind, isSuccess ? "successful" : "failed");
      if (!isSuccess) listener.onFailedTry(kind, output);
      streak = isSuccess === last ? streak + 1 : 1;
      last = isSuccess;
      const threshold = isSuccess ? (probe.successThreshold ?? 1) : (probe.failureThreshold ?? 3);
      if (streak >= threshold && !onVerdict(isSuccess)) return;
      await clock.sleep(periodMs, signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
