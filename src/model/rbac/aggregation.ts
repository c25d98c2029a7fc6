/** ClusterRoles that are made of others, and what a first role lacks after an update of netloom. Pure. */
import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  RbacV1Subject,
  RoleBinding,
} from "../../api/generated/types.ts";
import { isJsonEqual } from "../../lib/equal/index.ts";
import { matchesSelector } from "../../lib/labels/index.ts";
import { missingRules } from "./covers.ts";

/** The rules an aggregated role shall have: those of all roles it selects, by name, each once. */
export function aggregatedRules(role: ClusterRole, all: readonly ClusterRole[]): readonly PolicyRule[] {
  const selectors = role.aggregationRule?.clusterRoleSelectors ?? [];
  const name = role.metadata?.name;
  const chosen = new Map<string, ClusterRole>();
  for (const selector of selectors) {
    const matching = all
      .filter((other) => other.metadata?.name !== name && matchesSelector(selector, other.metadata?.labels))
      .toSorted((a, b) => ((a.metadata?.name ?? "") < (b.metadata?.name ?? "") ? -1 : 1));
    for (const other of matching) chosen.set(other.metadata?.name ?? "", other);
  }
  const rules: PolicyRule[] = [];
  for (const rule of [...chosen.values()].flatMap((other) => other.rules ?? [])) {
    if (!rules.some((known) => isJsonEqual(known, rule))) rules.push(rule);
  }
  return rules;
}

/** On objects with this annotation set to "false", nobody mends anything. */
const autoupdate = "rbac.authorization.kubernetes.io/autoupdate";

interface Kept {
  readonly metadata?: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

function isKept({ metadata }: Kept): boolean {
  return metadata?.annotations?.[autoupdate] === "false";
}

/** The stored first role with what it lacks; the same object where it lacks nothing. What users added stays. */
export function reconciledRole<T extends Pick<ClusterRole, "rules" | "aggregationRule"> & Kept>(
  stored: T,
  expected: T,
): T {
  if (isKept(stored)) return stored;
  const isAggregated = expected.aggregationRule !== undefined;
  const missing = isAggregated ? [] : missingRules(stored.rules ?? [], expected.rules ?? []);
  const selectors = stored.aggregationRule?.clusterRoleSelectors ?? [];
  const added = (expected.aggregationRule?.clusterRoleSelectors ?? []).filter(
    (selector) => !selectors.some((known) => isJsonEqual(known, selector)),
  );
  const hasTooMuch = !isAggregated && stored.aggregationRule !== undefined;
  const metadata = mendedMetadata(stored, expected);
  if (missing.length === 0 && added.length === 0 && !hasTooMuch && metadata === stored.metadata) return stored;
  const { aggregationRule: _old, ...rest } = stored;
  return {
    ...(rest as T),
    ...(metadata === undefined ? {} : { metadata }),
    ...(missing.length === 0 ? {} : { rules: [...(stored.rules ?? []), ...missing] }),
    ...(isAggregated ? { aggregationRule: { clusterRoleSelectors: [...selectors, ...added] } } : {}),
  };
}

/** The same for a binding of the same role. */
export function reconciledBinding<T extends Pick<ClusterRoleBinding | RoleBinding, "roleRef" | "subjects"> & Kept>(
  stored: T,
  expected: T,
): T {
  if (isKept(stored)) return stored;
  const missing = (expected.subjects ?? []).filter(
    (subject) => stored.subjects?.some((known) => isSame(known, subject)) !== true,
  );
  const metadata = mendedMetadata(stored, expected);
  if (missing.length === 0 && metadata === stored.metadata) return stored;
  return {
    ...stored,
    ...(metadata === undefined ? {} : { metadata }),
    ...(missing.length === 0 ? {} : { subjects: [...(stored.subjects ?? []), ...missing] }),
  };
}

/** A binding's role never changes: one of another role has to go before the first one can be made. */
export function isBindingOfAnotherRole<T extends Pick<ClusterRoleBinding | RoleBinding, "roleRef"> & Kept>(
  stored: T,
  expected: T,
): boolean {
  return !isKept(stored) && !isJsonEqual(stored.roleRef, expected.roleRef);
}

function isSame(a: RbacV1Subject, b: RbacV1Subject): boolean {
  return a.kind === b.kind && a.name === b.name && (a.namespace ?? "") === (b.namespace ?? "");
}

/** What a user wrote at a label or annotation stays. */
function mendedMetadata({ metadata: stored }: Kept, { metadata: expected }: Kept): Kept["metadata"] {
  const lacks = (part: "labels" | "annotations"): boolean =>
    Object.keys(expected?.[part] ?? {}).some((key) => stored?.[part]?.[key] === undefined);
  if (!lacks("labels") && !lacks("annotations")) return stored;
  return {
    ...stored,
    labels: { ...expected?.labels, ...stored?.labels },
    annotations: { ...expected?.annotations, ...stored?.annotations },
  };
}
