import {
  closeSocket,
  errnoName,
  messageFlags,
  openSocket,
  receiveFromSocket,
  sendOnSocket,
  setSocketOption,
  socketFamilies,
  socketTypes,
} from "../../machinery/libc/index.ts";
import type { NetworkNamespace } from "../network-namespace.ts";
import { messageFlag, messageType, NetlinkDecodeError, readAttributes, readMessages, readText } from "./wire.ts";

/** The kernel refused a request; `code` is the errno's name ("EEXIST"), `detail` the kernel's own words or "". */
export class NetlinkError extends Error {
  readonly code: string;
  readonly detail: string;
  override readonly name = "NetlinkError";

  constructor(action: string, answer: { readonly errno: number; readonly detail: string }) {
    const code = errnoName(answer.errno);
    const reason = answer.detail === "" ? (reasons[code] ?? "the kernel refused") : answer.detail;
    super(`Cannot ${action}: ${reason} (${code})`);
    this.code = code;
    this.detail = answer.detail;
  }
}

const reasons: Readonly<Record<string, string>> = {
  EEXIST: "it exists already",
  ENODEV: "there is no such link",
  ENOENT: "there is no such object",
  ESRCH: "there is no such route",
  EADDRNOTAVAIL: "there is no such address",
  ENETUNREACH: "the gateway cannot be reached over a link that is up",
  ENETDOWN: "the link is down",
  EPERM: "not permitted: run as root, or inside the user namespace that owns the network namespace",
  ENOTSUP: "this kernel has no support for it: load the kernel module",
};

const routeProtocol = 0;
const solNetlink = 270;
const options = { capAck: 10, extendedAck: 11, strictCheck: 12 } as const;
const extendedMessage = 1;
const dumpAttempts = 8;

/**
 * A kept rtnetlink socket. It belongs to the namespace it was opened in, from whichever thread it is used. Everything
 * is synchronous: the kernel has answered before `send` returns.
 */
export class NetlinkSocket {
  readonly #fd: number;
  readonly #buffer = new Uint8Array(65_536);
  #sequence = 0;
  #isOpen = true;

  constructor(namespace: NetworkNamespace) {
    this.#fd = namespace.run(() =>
      openSocket(socketFamilies.netlink, socketTypes.raw | socketTypes.closeOnExec, routeProtocol),
    );
    setSocketOption(this.#fd, { level: solNetlink, name: options.capAck }, 1);
    setSocketOption(this.#fd, { level: solNetlink, name: options.extendedAck }, 1);
    // Without it the kernel ignores fields it does not know in a query.
    setSocketOption(this.#fd, { level: solNetlink, name: options.strictCheck }, 1);
  }

  /** Sends one request and returns what was answered. Throws `NetlinkError`: "Cannot `action`: …". */
  request(action: string, encode: (sequence: number) => Uint8Array): readonly Uint8Array[] {
    // The number of a closed descriptor may be somebody else's by now.
    if (!this.#isOpen) throw new NetlinkError(action, { errno: 9, detail: "the netlink socket was closed" });
    for (let attempt = 1; ; attempt += 1) {
      const sequence = (this.#sequence = (this.#sequence % 0x7fff_ffff) + 1);
      sendOnSocket(this.#fd, encode(sequence));
      const answer = this.#receive(action, sequence);
      // NLM_F_DUMP_INTR: the state changed meanwhile and the dump may lack something.
      if (!answer.isInterrupted || attempt === dumpAttempts) return answer.payloads;
    }
  }

  close(): void {
    if (this.#isOpen) closeSocket(this.#fd);
    this.#isOpen = false;
  }

  #receive(
    action: string,
    sequence: number,
  ): { readonly payloads: readonly Uint8Array[]; readonly isInterrupted: boolean } {
    const payloads: Uint8Array[] = [];
    let isInterrupted = false;
    for (;;) {
      const length = receiveFromSocket(this.#fd, this.#buffer, messageFlags.doNotWait | messageFlags.truncate);
      if (length > this.#buffer.length) {
        throw new NetlinkDecodeError(`Cannot read netlink answer: ${length} bytes exceed ${this.#buffer.length}`);
      }
      for (const message of readMessages(this.#buffer.subarray(0, length))) {
        if (message.sequence !== sequence) continue;
        isInterrupted ||= (message.flags & messageFlag.interrupted) !== 0;
        if (message.type === messageType.error || message.type === messageType.done) {
          const answer = decodeAnswer(message);
          if (answer.errno !== 0) throw new NetlinkError(action, answer);
          return { payloads, isInterrupted };
        }
        if (message.type !== messageType.noop) payloads.push(message.payload.slice());
      }
    }
  }
}

/** struct nlmsgerr: a negative errno, the header of the request, and with NLM_F_ACK_TLVS attributes. */
export function decodeAnswer(message: {
  readonly type: number;
  readonly flags: number;
  readonly payload: Uint8Array;
}): { readonly errno: number; readonly detail: string } {
  const { payload } = message;
  const errno =
    payload.length < 4 ? 0 : -new DataView(payload.buffer, payload.byteOffset, payload.byteLength).getInt32(0, true);
  const hasText = message.type === messageType.error && (message.flags & messageFlag.hasAttributes) !== 0;
  // With NETLINK_CAP_ACK only the request's header comes back, not its payload.
  if (errno === 0 || !hasText || (message.flags & messageFlag.isCapped) === 0) return { errno, detail: "" };
  return { errno, detail: readText(readAttributes(payload.subarray(20)).get(extendedMessage)) ?? "" };
}
