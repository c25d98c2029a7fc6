/** Asks a DNS server one question over TCP: whether it really answers. */
import type { Socket } from "node:net";
import type { IpFamily } from "../lib/ip/index.ts";
import {
  decodeMessage,
  encodeMessage,
  frame,
  frameReader,
  queryMessage,
  rcodes,
  recordTypes,
} from "../lib/dns-message/index.ts";

const questionId = 0x6e6c;

export interface DnsProbe {
  /** With the final dot. */
  readonly name: string;
  readonly family: IpFamily;
}

/** Rejects where the connection ends or `signal` aborts before an answer; resolves with whether there was an address. */
export async function answersDns(socket: Socket, { name, family }: DnsProbe, signal: AbortSignal): Promise<boolean> {
  const type = family === "IPv6" ? recordTypes.AAAA : recordTypes.A;
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const fail = (): void => reject(new Error("the DNS server gave no answer"));
  signal.addEventListener("abort", fail);
  socket.on("error", reject);
  socket.on("close", fail);
  socket.on("data", frameReader(resolve));
  try {
    socket.write(frame(encodeMessage(queryMessage({ id: questionId, name, type }))));
    const answer = decodeMessage(await promise);
    return answer.id === questionId && answer.rcode === rcodes.NOERROR && answer.answers.length > 0;
  } finally {
    signal.removeEventListener("abort", fail);
    socket.destroy();
  }
}
