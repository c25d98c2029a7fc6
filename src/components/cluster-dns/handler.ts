/** What passes along the chain of plugins: a question in, a reply out. */
import { rcodes } from "../../lib/dns-message/index.ts";
import type { ResourceRecord } from "../../lib/dns-message/index.ts";

export interface Request {
  /** As asked, for the reply's question; compare `name` instead. */
  readonly askedName: string;
  /** Canonical. */
  readonly name: string;
  readonly type: number;
  readonly class: number;
  readonly transport: "udp" | "tcp";
  /** The DO bit of EDNS. */
  readonly isDnssecOk: boolean;
  readonly isRecursionDesired: boolean;
  /** How often this very question was asked before since the zone changed: turns the order of addresses. */
  readonly turn: number;
  /** How many aliases led from the client's question to this one. */
  readonly aliases?: number;
}

export interface Reply {
  readonly rcode: number;
  readonly isAuthoritative: boolean;
  readonly isTruncated?: boolean;
  readonly isRecursionAvailable?: boolean;
  readonly answers: readonly ResourceRecord[];
  readonly authorities: readonly ResourceRecord[];
  readonly additionals: readonly ResourceRecord[];
  /** The plugin that made it, for metrics. */
  readonly plugin: string;
  /**
   * Holds until the zone changes, and how many orders its addresses are given in. Absent: must be asked for each time.
   */
  readonly stableTurns?: number;
}

/** Synchronous wherever the answer is at hand, so that the usual question costs no promise. */
export type Handler = (request: Request) => Reply | Promise<Reply>;

/** A link of the chain: given the rest of it, the chain from here on. */
export type Plugin = (next: Handler) => Handler;

export function emptyReply(rcode: keyof typeof rcodes, plugin: string): Reply {
  return { rcode: rcodes[rcode], isAuthoritative: false, answers: [], authorities: [], additionals: [], plugin };
}

/** Applies `then` to a reply that may still be on its way. */
export function mapReply(reply: Reply | Promise<Reply>, then: (reply: Reply) => Reply): Reply | Promise<Reply> {
  return reply instanceof Promise ? reply.then(then) : then(reply);
}
