/** The whole status the kubelet reports for a pod, and the smallest patch that makes the API's copy say the same. */
import { isJsonEqual } from "../../lib/equal/index.ts";
import type { Pod, PodStatus } from "../../api/generated/types.ts";
import { podConditions } from "./conditions.ts";
import { deadlineReason, isPastDeadline } from "./deadline.ts";
import { containerStatuses } from "./container-status.ts";
import type { PodFacts } from "./facts.ts";
import { phaseOf } from "./phase.ts";
import { isEnding } from "./plan.ts";
import { isoSeconds } from "./time.ts";

/** What the node's kubelet owns of the status; fields of other writers (nominatedNodeName, qosClass) are left out. */
export function planStatus(facts: PodFacts): PodStatus {
  const { main, init, ephemeral } = containerStatuses(facts);
  const phase = phaseOf(facts, isEnding(facts));
  const { generation } = facts.pod.metadata ?? {};
  const [podIP] = facts.ips;
  const [hostIP] = facts.hostIps;
  return {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    phase,
    ...reasonOf(facts),
    conditions: podConditions(facts, phase, { main, init }),
    ...(hostIP === undefined ? {} : { hostIP, hostIPs: facts.hostIps.map((ip) => ({ ip })) }),
    ...(podIP === undefined ? {} : { podIP, podIPs: facts.ips.map((ip) => ({ ip })) }),
    startTime: facts.pod.status?.startTime ?? isoSeconds(facts.startTimeMs),
    ...(init.length === 0 ? {} : { initContainerStatuses: init }),
    containerStatuses: main,
    ...(ephemeral.length === 0 ? {} : { ephemeralContainerStatuses: ephemeral }),
  };
}

function reasonOf(facts: PodFacts): Pick<PodStatus, "reason" | "message"> {
  if (facts.rejection !== undefined) return facts.rejection;
  if (!isPastDeadline(facts)) {
    const { reason, message } = facts.pod.status ?? {};
    return { ...(reason === undefined ? {} : { reason }), ...(message === undefined ? {} : { message }) };
  }
  return {
    reason: deadlineReason,
    message: "Pod was active on the node longer than the specified deadline",
  };
}

/**
 * A strategic merge patch of the status subresource with only what differs; undefined: nothing does. The uid in it
 * makes the server refuse it for a later pod of the same name.
 */
export function statusPatch(pod: Pod, wanted: PodStatus): Readonly<Record<string, unknown>> | undefined {
  const before: Readonly<Record<string, unknown>> = { ...pod.status };
  const status: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(wanted)) {
    if (isJsonEqual(before[field], value)) continue;
    if (field === "conditions") status[field] = changedConditions(pod, wanted);
    else if (isReplacedByKey(field) && before[field] !== undefined) {
      // Lists merged by key grow unless told to be replaced.
      status[field] = [...(value as readonly unknown[]), { $patch: "replace" }];
    } else status[field] = value;
  }
  if (Object.keys(status).length === 0) return undefined;
  return { metadata: { uid: pod.metadata?.uid }, status };
}

function isReplacedByKey(field: string): boolean {
  return field === "podIPs" || field === "hostIPs";
}

function changedConditions(pod: Pod, wanted: PodStatus): readonly unknown[] {
  const known = pod.status?.conditions ?? [];
  return (wanted.conditions ?? [])
    .map((condition) => {
      const before = known.find(({ type }) => type === condition.type);
      if (before === undefined) return condition;
      // A reason that no longer holds must be taken away, or the merge keeps it.
      const { reason = null, message = null, ...rest } = condition;
      const gone = {
        ...(before.reason === undefined && reason === null ? {} : { reason }),
        ...(before.message === undefined && message === null ? {} : { message }),
      };
      const next = { ...rest, ...gone };
      return isSubset(next, before) ? undefined : next;
    })
    .filter((condition) => condition !== undefined);
}

/** Whether each field of `part` is in `whole` with the same value; null stands for absent. */
function isSubset(part: object, whole: object): boolean {
  const values: Readonly<Record<string, unknown>> = { ...whole };
  return Object.entries(part).every(([field, value]) => isJsonEqual(values[field] ?? null, value ?? null));
}
