/** The conditions of a job. */
import type { Job, JobCondition } from "../../api/generated/types.ts";
import { timeText } from "../workload/index.ts";

/** Why a job ended or is about to. */
export interface Finish {
  readonly isSuccess: boolean;
  readonly reason: string;
  readonly message: string;
}

export function jobCondition({ status }: Job, type: string): JobCondition | undefined {
  return status?.conditions?.find((condition) => condition.type === type && condition.status === "True");
}

/** Complete or Failed for good. */
export function isJobFinished(job: Job): boolean {
  return (jobCondition(job, "Complete") ?? jobCondition(job, "Failed")) !== undefined;
}

/** A finish that was decided in an earlier look and waits for the last pods. */
export function pendingFinish(job: Job): Finish | undefined {
  const success = jobCondition(job, "SuccessCriteriaMet");
  const known = success ?? jobCondition(job, "FailureTarget");
  if (known === undefined) return undefined;
  return { isSuccess: success !== undefined, reason: known.reason ?? "", message: known.message ?? "" };
}

export function withCondition(
  conditions: readonly JobCondition[],
  wanted: Pick<JobCondition, "type" | "status" | "reason" | "message">,
  now: number,
): readonly JobCondition[] {
  const known = conditions.find(({ type }) => type === wanted.type);
  if (known?.status === wanted.status && known?.reason === wanted.reason && known?.message === wanted.message) {
    return conditions;
  }
  const condition = { ...wanted, lastProbeTime: timeText(now), lastTransitionTime: timeText(now) };
  return [...conditions.filter((other) => other !== known), condition];
}
