import { own } from "../own/index.ts";
/** Label selectors, in both of their forms: the text of `?labelSelector=` and the structured `LabelSelector`. */

export type Labels = Readonly<Record<string, string>>;

export type Operator = "In" | "NotIn" | "Exists" | "DoesNotExist" | "Equals" | "NotEquals" | "GreaterThan" | "LessThan";

/** One condition; all conditions of a selector must hold. `values` is empty for Exists and DoesNotExist. */
export interface Requirement {
  readonly key: string;
  readonly operator: Operator;
  readonly values: readonly string[];
}

/** No requirement selects everything. */
export type Selector = readonly Requirement[];

/** The wire form, as in `spec.selector` of a Deployment. */
export interface StructuredSelector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

type Test = (value: string | undefined, values: readonly string[]) => boolean;
const isIn: Test = (value, values) => value !== undefined && values.includes(value);
const isNotIn: Test = (value, values) => value === undefined || !values.includes(value);
const tests: Readonly<Record<Operator, Test>> = {
  Exists: (value) => value !== undefined,
  DoesNotExist: (value) => value === undefined,
  In: isIn,
  Equals: isIn,
  NotIn: isNotIn,
  NotEquals: isNotIn,
  GreaterThan: (value, values) => value !== undefined && compareIntegers(value, values[0]) > 0,
  LessThan: (value, values) => value !== undefined && compareIntegers(value, values[0]) < 0,
};

function meets({ key, operator, values }: Requirement, labels: Labels): boolean {
  return tests[operator](own(labels, key), values);
}

function compareIntegers(left: string, right = ""): number {
  if (!/^[+-]?\d{1,19}$/.test(left) || !/^[+-]?\d{1,19}$/.test(right)) return 0;
  const difference = BigInt(left) - BigInt(right);
  if (difference === 0n) return 0;
  return difference > 0n ? 1 : -1;
}

/** Does an object with these labels belong to the selection? */
export function matchesLabels(selector: Selector, labels: Labels = {}): boolean {
  return selector.every((requirement) => meets(requirement, labels));
}

const structuredOperators = ["In", "NotIn", "Exists", "DoesNotExist"] as const;

/**
 * The requirements of a structured selector, `matchLabels` first, each part sorted by key. `undefined` selects nothing
 * (as upstream), which the result `undefined` says; `{}` selects everything. An unknown operator selects nothing too.
 */
export function selectorOf(structured: StructuredSelector | undefined): Selector | undefined {
  if (structured === undefined) return undefined;
  const requirements: Requirement[] = Object.entries(structured.matchLabels ?? {}).map(([key, value]) => ({
    key,
    operator: "Equals",
    values: [value],
  }));
  for (const { key, operator, values } of structured.matchExpressions ?? []) {
    const known = structuredOperators.find((candidate) => candidate === operator);
    if (known === undefined) return undefined;
    requirements.push({ key, operator: known, values: values ?? [] });
  }
  return requirements.toSorted((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)));
}

/** Does a structured selector choose these labels? An absent selector chooses nothing. */
export function matchesSelector(structured: StructuredSelector | undefined, labels: Labels = {}): boolean {
  const selector = selectorOf(structured);
  return selector !== undefined && matchesLabels(selector, labels);
}

const first = (values: readonly string[]): string => values[0] ?? "";
const set = (values: readonly string[]): string => `(${values.toSorted().join(",")})`;
const texts: Readonly<Record<Operator, (key: string, values: readonly string[]) => string>> = {
  Exists: (key) => key,
  DoesNotExist: (key) => `!${key}`,
  Equals: (key, values) => `${key}=${first(values)}`,
  NotEquals: (key, values) => `${key}!=${first(values)}`,
  GreaterThan: (key, values) => `${key}>${first(values)}`,
  LessThan: (key, values) => `${key}<${first(values)}`,
  In: (key, values) => `${key} in ${set(values)}`,
  NotIn: (key, values) => `${key} notin ${set(values)}`,
};

/** The text form: `app=web,tier in (a,b),!old`. */
export function selectorText(selector: Selector): string {
  return selector.map(({ key, operator, values }) => texts[operator](key, values)).join(",");
}

/** A structured selector as columns show it: `app=web,tier in (a,b)`, `<none>` where it chooses everything. */
export function structuredSelectorText(structured: StructuredSelector | undefined): string {
  if (structured === undefined) return "<none>";
  const selector = selectorOf(structured);
  if (selector === undefined) return "<error>";
  const text = selectorText(selector);
  return text === "" ? "<none>" : text;
}

/** A label map as columns show it: `app=web,tier=front`, sorted, `<none>` where empty. */
export function labelsText(labels: Labels | undefined): string {
  const pairs = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return pairs.length === 0 ? "<none>" : pairs.toSorted().join(",");
}
