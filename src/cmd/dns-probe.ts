/** Asks a DNS server one question over TCP: whether it really answers. */
import type { Socket } from "node:net";
import type { IpFamily } from "../lib/ip/index.ts";
import { decodeMessage, encodeMessage, opcodes, rcodes, recordClasses, recordTypes } from "../lib/dns-message/index.ts";

const questionId = 0x6e6c;

export interface DnsProbe {
  /** With the final dot. */
  readonly name: string;
  readonly family: IpFamily;
}

/** Rejects where the connection ends or `signal` aborts before an answer; resolves with whether there was an address. */
export async function answersDns(socket: Socket, { name, family }: DnsProbe, signal: AbortSignal): Promise<boolean> {
  const type = family === "IPv6" ? recordTypes.AAAA : recordTypes.A;
  const message = encodeMessage({
    id: questionId,
    isResponse: false,
    opcode: opcodes.QUERY,
    isAuthoritative: false,
    isTruncated: false,
    isRecursionDesired: true,
    isRecursionAvailable: false,
    isAuthenticData: false,
    isCheckingDisabled: false,
    rcode: rcodes.NOERROR,
    questions: [{ name, type, class: recordClasses.IN }],
    answers: [],
    authorities: [],
    additionals: [],
  });
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  try {
    socket.write(Buffer.concat([length, message]));
    const answer = decodeMessage(await firstFrame(socket, signal));
    return answer.id === questionId && answer.rcode === rcodes.NOERROR && answer.answers.length > 0;
  } finally {
    socket.destroy();
  }
}

/** Two bytes of length come before each message (RFC 1035 section 4.2.2). */
async function firstFrame(socket: Socket, signal: AbortSignal): Promise<Buffer> {
  let received: Buffer = Buffer.alloc(0);
  return await new Promise((resolve, reject) => {
    const fail = (): void => reject(new Error("the DNS server gave no answer"));
    signal.addEventListener("abort", fail, { once: true });
    socket.on("error", reject);
    socket.on("close", fail);
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0))
        resolve(received.subarray(2, 2 + received.readUInt16BE(0)));
    });
  });
}
