/** Does one set of rules hold everything of another? The question behind every check against escalation. Pure. */
import type { PolicyRule } from "../../api/generated/types.ts";
import { quoted } from "../../api/go-text.ts";

/** The rights of `wanted` that `owned` does not hold, one per verb, resource and name; empty where all are held. */
export function missingRules(owned: readonly PolicyRule[], wanted: readonly PolicyRule[]): readonly PolicyRule[] {
  return wanted.flatMap(brokenDown).filter((single) => !owned.some((rule) => ruleCovers(rule, single)));
}

const orNothing = (list: readonly string[] | undefined): readonly (string | undefined)[] =>
  list === undefined || list.length === 0 ? [undefined] : list;

/** A rule as the single rights that it is made of. */
function brokenDown(rule: PolicyRule): readonly PolicyRule[] {
  const forPaths = (rule.nonResourceURLs ?? []).flatMap((url) =>
    rule.verbs.map((verb): PolicyRule => ({ verbs: [verb], nonResourceURLs: [url] })),
  );
  const forResources = (rule.apiGroups ?? []).flatMap((group) =>
    (rule.resources ?? []).flatMap((resource) =>
      rule.verbs.flatMap((verb) =>
        orNothing(rule.resourceNames).map((name): PolicyRule => ({
          apiGroups: [group],
          resources: [resource],
          ...(name === undefined ? {} : { resourceNames: [name] }),
          verbs: [verb],
        })),
      ),
    ),
  );
  return [...forPaths, ...forResources];
}

const has = (list: readonly string[] | undefined, value: string | undefined): boolean =>
  value !== undefined && list?.some((item) => item === "*" || item === value) === true;

/** `single` is one right, as `brokenDown` gives it. */
function ruleCovers(rule: PolicyRule, single: PolicyRule): boolean {
  if (!has(rule.verbs, single.verbs[0])) return false;
  const url = single.nonResourceURLs?.[0];
  if (url !== undefined) {
    return (
      rule.nonResourceURLs?.some(
        (pattern) =>
          pattern === url || pattern === "*" || (pattern.endsWith("*") && url.startsWith(pattern.slice(0, -1))),
      ) === true
    );
  }
  return has(rule.apiGroups, single.apiGroups?.[0]) && coversResource(rule, single) && coversName(rule, single);
}

function coversResource({ resources = [] }: PolicyRule, single: PolicyRule): boolean {
  const resource = single.resources?.[0] ?? "";
  if (has(resources, resource)) return true;
  const [, subresource] = resource.split("/");
  return subresource !== undefined && resources.includes(`*/${subresource}`);
}

function coversName({ resourceNames = [] }: PolicyRule, single: PolicyRule): boolean {
  const name = single.resourceNames?.[0];
  return resourceNames.length === 0 || (name !== undefined && resourceNames.includes(name));
}

/** Single rights, those of the same object put together again: shorter to read. */
export function compactRules(rules: readonly PolicyRule[]): readonly PolicyRule[] {
  const byTarget = new Map<string, PolicyRule>();
  for (const rule of rules) {
    const { verbs, ...target } = rule;
    const isSimple = rule.apiGroups?.length === 1 && rule.resources?.length === 1 && rule.nonResourceURLs === undefined;
    const key = isSimple ? JSON.stringify(target) : JSON.stringify(rule);
    const known = byTarget.get(key);
    byTarget.set(key, known === undefined ? rule : { ...known, verbs: [...new Set([...known.verbs, ...verbs])] });
  }
  return [...byTarget.values()];
}

/** `{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}`, as Go prints it. */
export function ruleText(rule: PolicyRule): string {
  const parts = (
    [
      ["APIGroups", rule.apiGroups],
      ["Resources", rule.resources],
      ["NonResourceURLs", rule.nonResourceURLs],
      ["ResourceNames", rule.resourceNames],
      ["Verbs", rule.verbs],
    ] as const
  ).filter(([, list]) => list !== undefined && list.length > 0);
  return `{${parts.map(([name, list]) => `${name}:${goList(list ?? [])}`).join(", ")}}`;
}

/** `["a" "b"]`: Go's `%q` of a slice. */
export function goList(list: readonly string[]): string {
  return `[${list.map(quoted).join(" ")}]`;
}
