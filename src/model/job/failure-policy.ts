/** `spec.podFailurePolicy`: what a failed pod means for its job, by exit codes and conditions. */
import type { Job, Pod, PodFailurePolicyRule } from "../../api/generated/types.ts";

export interface Verdict {
  readonly action: "FailJob" | "FailIndex" | "Ignore" | "Count";
  /** For `FailJob`: the message of the job's condition. */
  readonly message: string;
}

/** The first rule that fits decides; a pod that none fits counts against the back-off limit. */
export function verdictOn({ spec }: Job, pod: Pod): Verdict {
  for (const [index, rule] of (spec?.podFailurePolicy?.rules ?? []).entries()) {
    const cause = pod.status?.phase === "Failed" ? causeOf(rule, pod) : undefined;
    if (cause === undefined) continue;
    return {
      action: rule.action as Verdict["action"],
      message: `${cause} matching ${rule.action} rule at index ${index}`,
    };
  }
  return { action: "Count", message: "" };
}

function causeOf({ onExitCodes, onPodConditions }: PodFailurePolicyRule, pod: Pod): string | undefined {
  const podName = `${pod.metadata?.namespace ?? ""}/${pod.metadata?.name ?? ""}`;
  if (onExitCodes !== undefined) {
    const { containerName, operator, values } = onExitCodes;
    const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
    for (const { name, state } of statuses) {
      const exitCode = state?.terminated?.exitCode ?? 0;
      if (exitCode === 0 || (containerName !== undefined && containerName !== name)) continue;
      if (values.includes(exitCode) !== (operator === "In")) continue;
      return `Container ${name} for pod ${podName} failed with exit code ${exitCode}`;
    }
    return undefined;
  }
  for (const { type, status = "True" } of onPodConditions ?? []) {
    const isMet = pod.status?.conditions?.some((condition) => condition.type === type && condition.status === status);
    if (isMet === true) return `Pod ${podName} has condition ${type}`;
  }
  return undefined;
}
