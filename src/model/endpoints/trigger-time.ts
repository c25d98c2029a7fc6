/** Since when endpoints are out of date: what `last-change-trigger-time` tells, for measuring how fast they follow. */
import type { Pod, Service } from "../../api/generated/types.ts";
import { podCondition } from "../workload/index.ts";

/** What was there at the last look, kept by the controller per Service. Times as RFC 3339. */
export interface TriggerState {
  readonly service: string;
  readonly pods: ReadonlyMap<string, string>;
}

/** The earliest change since `before`; undefined where nothing with a known time has changed. */
export function triggerTime(
  before: TriggerState | undefined,
  { service, pods }: { readonly service: Service; readonly pods: readonly Pod[] },
): { readonly state: TriggerState; readonly time: string | undefined } {
  const created = service.metadata?.creationTimestamp ?? "";
  const times = new Map(pods.map((pod) => [pod.metadata?.uid ?? "", readySince(pod)]));
  const changes = [...times]
    .filter(([uid, time]) => time !== "" && time !== before?.pods.get(uid))
    .map(([, time]) => time);
  if (before?.service !== created && created !== "") changes.push(created);
  return { state: { service: created, pods: times }, time: changes.toSorted()[0] };
}

function readySince(pod: Pod): string {
  return podCondition(pod, "Ready")?.lastTransitionTime ?? "";
}
