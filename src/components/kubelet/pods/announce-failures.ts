/** The events of containers that are kept waiting: once per wait. */
import type { Pod, PodStatus } from "../../../api/generated/types.ts";
import type { PodEvents } from "../events.ts";
import { findContainer } from "./find-container.ts";

export function announceFailures(
  events: PodEvents,
  pod: Pod,
  status: PodStatus,
  memory: { announce(name: string, text: string): boolean },
): void {
  const { name: podName, namespace, uid } = pod.metadata ?? {};
  for (const { name, state, restartCount } of [
    ...(status.initContainerStatuses ?? []),
    ...(status.containerStatuses ?? []),
  ]) {
    const reason = state?.waiting?.reason ?? "";
    if (!memory.announce(name, reason === "CrashLoopBackOff" ? `${reason} ${restartCount}` : reason)) continue;
    if (reason === "CrashLoopBackOff") {
      const text = `Back-off restarting failed container ${name} in pod ${podName}_${namespace}(${uid})`;
      events.warning(pod, name, "BackOff", text);
    } else if (reason === "ImagePullBackOff") {
      events.normal(pod, name, "BackOff", `Back-off pulling image "${findContainer(pod, name)?.image ?? ""}"`);
      events.warning(pod, name, "Failed", "Error: ImagePullBackOff");
    }
  }
}
