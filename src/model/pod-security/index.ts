/** The Pod Security Standards: what a pod must not ask for in a namespace of a level. Pure; upstream's words. */
import type { Pod } from "../../api/generated/types.ts";
import { quoted } from "../../api/go-text.ts";
import { baselineChecks } from "./baseline.ts";
import { restrictedChecks } from "./restricted.ts";

export type PodSecurityLevel = "privileged" | "baseline" | "restricted";

/** `privileged (container "a" must not set …), hostPort (…)`; empty where the pod may run. */
export function podSecurityViolations(level: PodSecurityLevel, spec: NonNullable<Pod["spec"]>): string {
  const checks =
    level === "privileged"
      ? []
      : level === "baseline"
        ? baselineChecks
        : // The stricter check of the same thing stands for both.
          [...baselineChecks.filter(({ isRefined }) => isRefined !== true), ...restrictedChecks];
  return checks
    .flatMap((check) => {
      const details = check.find(spec);
      return details.length === 0 ? [] : [`${check.reason} (${details.join("; ")})`];
    })
    .join(", ");
}

const labelPrefix = "pod-security.kubernetes.io/";
const levels: ReadonlySet<string> = new Set(["privileged", "baseline", "restricted"]);

export interface PodSecurityPolicy {
  readonly level: PodSecurityLevel;
  /** `restricted:latest`, for messages. */
  readonly text: string;
}

/** What a namespace's labels say for a mode; what nobody can read counts as restricted, as upstream. */
export function podSecurityPolicy(
  labels: Readonly<Record<string, string>> | undefined,
  mode: "enforce" | "warn",
): PodSecurityPolicy {
  const level = labels?.[`${labelPrefix}${mode}`] ?? "privileged";
  const version = labels?.[`${labelPrefix}${mode}-version`] ?? "latest";
  const known = (levels.has(level) ? level : "restricted") as PodSecurityLevel;
  return { level: known, text: quoted(`${known}:${version}`) };
}
