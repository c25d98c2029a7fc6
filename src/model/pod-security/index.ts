/** The Pod Security Standards: what a pod must not ask for in a namespace of a level. Pure; upstream's words. */
import type { Pod } from "../../api/generated/types.ts";
import { invalidValue } from "../../api/field-error.ts";
import type { FieldError } from "../../api/field-error.ts";
import { quoted } from "../../api/go-text.ts";
import { baselineChecks } from "./baseline.ts";
import { restrictedChecks } from "./restricted.ts";

export type PodSecurityLevel = "privileged" | "baseline" | "restricted";

/** `privileged (container "a" must not set …), hostPort (…)`; empty where the pod may run. */
export function podSecurityViolations(level: PodSecurityLevel, spec: NonNullable<Pod["spec"]>): string {
  return found(level, spec)
    .map(({ reason, details }) => `${reason} (${details.join("; ")})`)
    .join(", ");
}

/** The same without what each container does wrong. */
function reasonsOf(level: PodSecurityLevel, spec: NonNullable<Pod["spec"]>): string {
  return found(level, spec)
    .map(({ reason }) => reason)
    .join(", ");
}

interface Violation {
  readonly reason: string;
  readonly details: readonly string[];
}

function found(level: PodSecurityLevel, spec: NonNullable<Pod["spec"]>): readonly Violation[] {
  const checks =
    level === "privileged"
      ? []
      : level === "baseline"
        ? baselineChecks
        : // The stricter check of the same thing stands for both.
          [...baselineChecks.filter(({ isRefined }) => isRefined !== true), ...restrictedChecks];
  return checks
    .map((check) => ({ reason: check.reason, details: check.find(spec) }))
    .filter(({ details }) => details.length > 0);
}

const labelPrefix = "pod-security.kubernetes.io/";
const levels = ["privileged", "baseline", "restricted"] as const;

export interface PodSecurityPolicy {
  readonly level: PodSecurityLevel;
  /** `restricted:latest`. */
  readonly text: string;
}

/** What a namespace's labels ask for. */
export interface PodSecurityPolicies {
  readonly enforce: PodSecurityPolicy;
  readonly audit: PodSecurityPolicy;
  readonly warn: PodSecurityPolicy;
  /** Labels that nobody can read. */
  readonly mistakes: readonly FieldError[];
}

/**
 * What nobody can read counts, as upstream, as restricted where it is enforced and as privileged elsewhere. Who is not
 * asked for warnings gets those of the enforced level.
 */
export function podSecurityPolicies(labels: Readonly<Record<string, string>> = {}): PodSecurityPolicies {
  const mistakes: FieldError[] = [];
  const mistake = (name: string, value: string, text: string): void => {
    mistakes.push(invalidValue(`metadata.labels[${name}]`, value, text));
  };
  const read = (mode: "enforce" | "audit" | "warn", fallback: PodSecurityLevel): PodSecurityPolicy => {
    const name = `${labelPrefix}${mode}`;
    const given = labels[name];
    const level = levels.find((one) => one === (given ?? "privileged"));
    if (level === undefined) mistake(name, given ?? "", `must be one of ${levels.join(", ")}`);
    const wanted = labels[`${name}-version`] ?? "latest";
    const isVersion = wanted === "latest" || /^v1\.(\d|[1-9]\d*)$/.test(wanted);
    if (!isVersion) mistake(`${name}-version`, wanted, 'must be "latest" or "v1.x"');
    return policyOf(level ?? fallback, isVersion ? wanted : "latest");
  };
  const enforce = read("enforce", "restricted");
  const audit = read("audit", "privileged");
  const warn = read("warn", "privileged");
  const isEnforced = levels.some((one) => one === labels[`${labelPrefix}enforce`]);
  const isWarned = labels[`${labelPrefix}warn`] !== undefined;
  if (isWarned || !isEnforced || enforce.level === "privileged") return { enforce, audit, warn, mistakes };
  const isVersioned = labels[`${labelPrefix}warn-version`] !== undefined;
  const version = (isVersioned ? warn : enforce).text.split(":")[1] ?? "latest";
  return { enforce, audit, warn: policyOf(enforce.level, version), mistakes };
}

function policyOf(level: PodSecurityLevel, version: string): PodSecurityPolicy {
  return { level, text: `${level}:${version}` };
}

/** Is the second level stricter than the first? */
export function isStricter(before: PodSecurityLevel, after: PodSecurityLevel): boolean {
  return levels.indexOf(after) > levels.indexOf(before);
}

/**
 * What to tell who makes a namespace stricter than its pods: one line for all of them, then one per kind of violation
 * with the first pod of each.
 */
export function podSecurityWarnings(
  namespace: string,
  { level, text }: PodSecurityPolicy,
  pods: readonly Pod[],
): readonly string[] {
  const byReason = new Map<string, string[]>();
  for (const { metadata, spec } of pods) {
    const reasons = spec === undefined ? "" : reasonsOf(level, spec);
    if (reasons !== "") byReason.set(reasons, [...(byReason.get(reasons) ?? []), metadata?.name ?? ""]);
  }
  if (byReason.size === 0) return [];
  const lines = [...byReason].map(([reasons, names]) => {
    const [first = "", ...others] = names.toSorted();
    const more = others.length === 0 ? "" : ` (and ${others.length} other pod${others.length === 1 ? "" : "s"})`;
    return `${first}${more}: ${reasons}`;
  });
  const head = `existing pods in namespace ${quoted(namespace)} violate the new PodSecurity enforce level ${quoted(text)}`;
  return [head, ...lines.toSorted()];
}
