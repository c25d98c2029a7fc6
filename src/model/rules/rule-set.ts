/**
 * The rules of a node as data: the few forms of nftables objects that netloom emits, each with the object that caused it.
 *
 * Chains and sets ("skeletons") are few and planned whole. Elements are many and planned in parts: one part per cause,
 * so that a change replaces a few parts and everything else stays the same object. No two parts hold the same key of
 * the same set; the planner that makes the parts sees to that.
 */
import type { Provenance } from "../provenance.ts";
import type { Statement, Value, Verdict } from "./statement.ts";

/** nftables' name of an address family. */
export type Family = "ip" | "ip6";

export type Hook = "prerouting" | "input" | "forward" | "output" | "postrouting";

/** What one field of a key or of a value holds; `source-low-96` is the low 96 bits of an IPv6 source (see affinity). */
export type FieldType = "address" | "protocol" | "port" | "mark" | "source-low-96";

export interface SetDeclaration {
  readonly name: string;
  readonly key: readonly FieldType[];
  /** Present in maps. */
  readonly data?: readonly FieldType[] | "verdict";
  /** `interval`: the keys are prefixes. `dynamic`: filled by packets, never planned. */
  readonly flags?: readonly ("interval" | "dynamic" | "timeout")[];
  readonly timeoutSeconds?: number;
  readonly size?: number;
}

export interface Rule {
  readonly statements: readonly Statement[];
  /** Becomes the comment of the rule; absent where the chain's name says it all. */
  readonly comment?: string;
}

export interface BaseHook {
  readonly type: "filter" | "nat";
  readonly hook: Hook;
  /** Lower runs first; netfilter's numbers (raw -300, dstnat -100, filter 0, srcnat 100). */
  readonly priority: number;
}

export interface Chain {
  readonly name: string;
  /** Present in chains that packets enter from the network stack; their policy is always accept. */
  readonly base?: BaseHook;
  readonly rules: readonly Rule[];
}

/** The chains and sets of one table, without elements. Order matters to nft only for readability. */
export interface Skeleton {
  readonly family: Family;
  readonly table: string;
  readonly sets: ReadonlyMap<string, SetDeclaration>;
  readonly chains: ReadonlyMap<string, Chain>;
}

export type ElementData = { readonly verdict: Verdict } | { readonly values: readonly Value[] };

export interface Element {
  readonly family: Family;
  readonly table: string;
  readonly set: string;
  readonly key: readonly Value[];
  /** Present in maps. */
  readonly data?: ElementData;
  readonly cause: Provenance;
}

/** Elements with one cause. */
export type Part = readonly Element[];

export interface RuleSet {
  readonly skeletons: readonly Skeleton[];
  readonly parts: ReadonlyMap<string, Part>;
}

/** `10.96.0.10 . udp . 53`: a key as nft writes it, and its identity within the set. */
export function keyText(key: readonly Value[]): string {
  return key.length === 1 ? String(key[0]) : key.join(" . ");
}

/** `10.244.1.5 . 80` or `goto n4`: what an element maps to; empty for the element of a set. */
export function dataText(data: ElementData | undefined): string {
  if (data === undefined) return "";
  return "verdict" in data ? verdictText(data.verdict) : keyText(data.values);
}

export function verdictText(verdict: Verdict): string {
  return "chain" in verdict ? `${verdict.kind} ${verdict.chain}` : verdict.kind;
}

/** Which set of which table: `ip netloom frontends`. */
export function setPath(place: Pick<Element, "family" | "table" | "set">): string {
  return `${place.family} ${place.table} ${place.set}`;
}

/** Whether both elements put the same entry into the kernel; causes are not compared. */
export function isSameEntry(one: Element, other: Element): boolean {
  return (
    one === other ||
    (setPath(one) === setPath(other) &&
      keyText(one.key) === keyText(other.key) &&
      dataText(one.data) === dataText(other.data))
  );
}

/** All elements by set and by key. Linear in the number of elements: for tests, traces and repairs, not per change. */
export function indexElements(parts: Iterable<Part>): Map<string, Map<string, Element>> {
  const sets = new Map<string, Map<string, Element>>();
  for (const part of parts) {
    for (const element of part) {
      const path = setPath(element);
      const elements = sets.get(path) ?? new Map<string, Element>();
      sets.set(path, elements.set(keyText(element.key), element));
    }
  }
  return sets;
}
