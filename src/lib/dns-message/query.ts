import type { DnsMessage, Question } from "./message.ts";
import { opcodes, rcodes, recordClasses } from "./message.ts";

export interface QueryOptions extends Pick<Question, "name" | "type"> {
  /** 0 to 65535: what tells the answer from others. */
  readonly id: number;
  /** IN where absent. */
  readonly class?: number;
  /** Does a resolver ask on for us? Yes, unless said otherwise. */
  readonly isRecursionDesired?: boolean;
  readonly edns?: DnsMessage["edns"];
}

/** The message that asks one question. */
export function queryMessage({ id, name, type, edns, ...options }: QueryOptions): DnsMessage {
  return {
    id,
    isResponse: false,
    opcode: opcodes.QUERY,
    isAuthoritative: false,
    isTruncated: false,
    isRecursionDesired: options.isRecursionDesired ?? true,
    isRecursionAvailable: false,
    isAuthenticData: false,
    isCheckingDisabled: false,
    rcode: rcodes.NOERROR,
    questions: [{ name, type, class: options.class ?? recordClasses.IN }],
    answers: [],
    authorities: [],
    additionals: [],
    ...(edns === undefined ? {} : { edns }),
  };
}
