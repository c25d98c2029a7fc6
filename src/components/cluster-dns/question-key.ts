/** Under what a reply is kept. */
import { recordTypes } from "../../lib/dns-message/index.ts";

export const headerBytes = 12;

/** Where a question comes from. */
export interface Origin {
  readonly transport: "udp" | "tcp";
  readonly address: string;
  readonly port: number;
}

/**
 * What the reply depends on: transport, and the question from its flags on. EDNS options are left out (none is acted on,
 * and cookies differ each time). The family is there for the counters only.
 */
export function questionKey(question: Uint8Array, { transport, address }: Origin): string {
  const text = Buffer.from(question.buffer, question.byteOffset + 2, endOfKey(question) - 2).toString("latin1");
  const family = address.includes(".") ? "4" : "6";
  return transport + family + text;
}

/** Where the options of a question with nothing but an OPT record begin; else the end of the bytes. */
function endOfKey(question: Uint8Array): number {
  const { length } = question;
  const isUsual = question[5] === 1 && question[7] === 0 && question[9] === 0 && question[11] === 1;
  if (!isUsual) return length;
  let at = headerBytes;
  // Labels up to the root; a pointer or anything odd takes the bytes as they are.
  for (let label = question[at] ?? 0; label !== 0; label = question[at] ?? 0) {
    if (label > 63) return length;
    at += label + 1;
  }
  const opt = at + 5;
  const options = opt + 11;
  const isOpt = question[opt] === 0 && question[opt + 1] === 0 && question[opt + 2] === recordTypes.OPT;
  const optionBytes = ((question[options - 2] ?? 0) << 8) | (question[options - 1] ?? 0);
  return isOpt && options + optionBytes === length ? options - 2 : length;
}
