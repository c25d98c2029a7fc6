/** Joins a running container with its probes: their verdicts become what is known of it. */
import { startProbes } from "../probes/probe-loops.ts";
import type { ProbeListener } from "../probes/probe-loops.ts";
import type { ProbeTarget } from "../probes/target.ts";
import type { AnyContainer } from "./find-container.ts";
import type { PodScope } from "./pod-context.ts";
import type { TrackedContainer } from "./tracked-container.ts";

/** @param isStarted - The startup probe passed already, under an agent before this one. */
export function probeContainer(
  scope: PodScope,
  container: AnyContainer,
  known: { readonly tracked: TrackedContainer; readonly isStarted: boolean },
): void {
  const { tracked, isStarted } = known;
  const run = tracked.current;
  if (run?.state.type !== "running") return;
  const probes = new AbortController();
  tracked.probes = probes;
  startProbes({
    target: probeTarget(scope, container, run.id),
    listener: listen(scope, container, { tracked, stop: () => probes.abort() }),
    clock: scope.context.clock,
    signal: AbortSignal.any([scope.signal, probes.signal]),
    startedAtMs: run.state.startedAtMs,
    isStarted,
  });
}

function listen(
  { context, pod, onChange }: PodScope,
  container: AnyContainer,
  { tracked, stop }: { readonly tracked: TrackedContainer; readonly stop: () => void },
): ProbeListener {
  const { name: podName = "", namespace = "", uid = "" } = pod().metadata ?? {};
  return {
    onStarted: () => {
      tracked.isStarted = true;
      if (container.readinessProbe === undefined) tracked.isReady = true;
      onChange();
    },
    onReadiness: (isReady) => {
      if (tracked.isReady === isReady) return;
      tracked.isReady = isReady;
      onChange();
    },
    onDead: (cause) => {
      tracked.killCause = cause;
      stop();
      onChange();
    },
    onFailedTry: (kind, output) => {
      // Of a container that is being stopped only the readiness still matters: its endpoint may serve to the end.
      if (tracked.activity === "stopping" && kind !== "Readiness") return;
      context.events.warning(pod(), container.name, "Unhealthy", `${kind} probe failed: ${output}`);
    },
    onTry: (kind, result) => {
      const labels = { probe_type: kind, result, container: container.name, pod: podName, namespace, pod_uid: uid };
      context.metrics.probes.inc(labels);
    },
  };
}

export function probeTarget({ context, podIp }: PodScope, container: AnyContainer, id: string): ProbeTarget {
  const { sockets, nodeNetnsPath } = context.options;
  return {
    container,
    containerId: id,
    podIp: podIp(),
    dial: (address, port, signal) => sockets.dial({ netnsPath: nodeNetnsPath, address, port, signal }),
    execSync: (command, timeoutMs) => context.runtime.execSync(id, { command, timeoutMs }),
  };
}
