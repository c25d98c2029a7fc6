/** The statements a rule may hold. Each has one text form (render.ts) and one meaning (packet-walk.ts). */

/** Addresses and prefixes as canonical text, protocols by name ("tcp"), ports and marks as numbers. */
export type Value = string | number;

/**
 * What a rule may look at. `saddr`, `daddr` are of the table's family. `fib saddr iif` is the index of the interface the
 * source is reached by when it is the one the packet came in on, else 0.
 */
export type Field =
  | "saddr"
  | "saddr-low-96"
  | "daddr"
  | "l4proto"
  | "sport"
  | "dport"
  | "mark"
  | "ct mark"
  | "ct state"
  | "ct direction"
  | "ct status"
  | "iifname"
  | "fib saddr type"
  | "fib daddr type"
  | "fib saddr iif";

/** Matches: the rule ends where one does not hold. A value "v*" of `iifname` is a prefix, "10.0.0.0/8" of an address a net. */
export interface Compare {
  readonly kind: "compare";
  readonly field: Field;
  readonly operator: "==" | "!=";
  readonly value: Value;
  /** Applied to the field before it is compared. */
  readonly mask?: number;
}

export interface OneOf {
  readonly kind: "one-of";
  readonly field: Field;
  readonly values: readonly Value[];
  readonly isNegated?: boolean;
}

interface InSet {
  readonly kind: "in-set";
  readonly key: readonly Field[];
  readonly set: string;
  readonly isNegated?: boolean;
}

/** `map`: a miss ends the rule and assigns nothing. */
export interface Assign {
  readonly kind: "assign";
  readonly target: "mark" | "ct mark";
  readonly to:
    | { readonly constant: number }
    | { readonly randomBelow: number }
    | { readonly orWith: number }
    | { readonly key: readonly Field[]; readonly map: string };
}

/** A miss goes on with the next rule. */
interface VerdictMap {
  readonly kind: "verdict-map";
  readonly key: readonly Field[];
  readonly map: string;
}

/** Translates the destination to the address and port found; a miss ends the rule. */
interface DestinationNat {
  readonly kind: "dnat";
  readonly key: readonly Field[];
  readonly map: string;
}

interface Masquerade {
  readonly kind: "masquerade";
}

interface SourceNat {
  readonly kind: "snat";
  readonly address: string;
}

/** Adds to or refreshes in a dynamic set; `delete` needs the data in its text only because nft asks for it. */
export interface DynamicElement {
  readonly kind: "dynamic";
  readonly operation: "update" | "delete";
  readonly set: string;
  readonly key: readonly Field[];
  readonly data?: Field;
  readonly timeoutSeconds?: number;
  readonly hasCounter?: boolean;
}

export interface Reject {
  readonly kind: "reject";
  readonly with: "tcp reset" | "icmp port-unreachable";
}

export type Verdict =
  | { readonly kind: "accept" | "drop" | "return" }
  | { readonly kind: "goto" | "jump"; readonly chain: string };

interface VerdictStatement {
  readonly kind: "verdict";
  readonly verdict: Verdict;
}

export type Statement =
  | Compare
  | OneOf
  | InSet
  | Assign
  | VerdictMap
  | DestinationNat
  | Masquerade
  | SourceNat
  | DynamicElement
  | Reject
  | VerdictStatement;
