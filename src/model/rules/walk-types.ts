/** What a packet walk is given, and what it tells. */
import type { IpAddress } from "../../lib/ip/index.ts";
import type { Element, Family, Hook, Rule } from "./rule-set.ts";

export interface Packet {
  readonly family: Family;
  readonly source: IpAddress;
  readonly destination: IpAddress;
  /** "tcp", "udp", "sctp", "icmp", … */
  readonly protocol: string;
  /** Absent where the protocol has no ports. */
  readonly sourcePort?: number;
  readonly destinationPort?: number;
}

/** What the node knows besides its rules. */
export interface WalkEnvironment {
  /** What `fib … type` answers: "local" for the node's own addresses. */
  addressType(address: IpAddress): "local" | "unicast" | "broadcast" | "multicast";
  /** Whether the route back to `source` leaves by the link `interfaceName`; true where it is not given. */
  isReachedBy?(source: IpAddress, interfaceName: string): boolean;
  /** The node's address that `masquerade` takes. */
  masqueradeAddress(destination: IpAddress): IpAddress;
  /** What dynamic sets hold, by set path and key; absent: nothing. Not changed by the walk. */
  readonly dynamic?: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

export interface WalkInput {
  readonly packet: Packet;
  /** Absent: the node's own process sends it. */
  readonly interfaceName?: string;
  /** Of the connection it belongs to; new ones are translated, others are not looked at by nat chains. */
  readonly state?: "new" | "established" | "related" | "invalid";
  readonly direction?: "original" | "reply";
  readonly mark?: number;
  readonly isTranslated?: boolean;
  /** Picks a number below `modulus` where a rule rolls dice; absent: 0. */
  choose?(modulus: number): number;
}

/** A rule that was carried out (not one whose first conditions merely held), with the element it found. */
export interface WalkStep {
  readonly hook: Hook;
  readonly table: string;
  readonly chain: string;
  readonly rule: Rule;
  /** Position of the rule in its chain, from 0. */
  readonly index: number;
  readonly elements: readonly Element[];
}

export interface WalkResult {
  readonly verdict: "accept" | "drop" | "reject";
  /** How it is refused; only with "reject". */
  readonly rejectedWith?: "tcp reset" | "icmp port-unreachable";
  /** Where it ended. */
  readonly hook: Hook;
  /** As it leaves the node, or reaches its process. */
  readonly packet: Packet;
  readonly connectionMark: number;
  readonly isDestinationTranslated: boolean;
  readonly isSourceTranslated: boolean;
  readonly steps: readonly WalkStep[];
  /** Dynamic elements that rules set or took away. */
  readonly updates: readonly { readonly set: string; readonly key: string; readonly value: number | undefined }[];
}
