import { constants } from "node:os";
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
  SystemCallError,
} from "../../machinery/libc/index.ts";
import { messageFlag, messageType, MessageWriter, readMessages, type Message } from "../rtnetlink/wire.ts";
import type { NetworkNamespace } from "../network-namespace.ts";

/** The kernel refused a request to netfilter; `code` is the errno's name ("EEXIST"). */
export class NfnetlinkError extends Error {
  readonly code: string;
  override readonly name = "NfnetlinkError";

  constructor(action: string, code: string) {
    super(`Cannot ${action}: ${reasons[code] ?? "the kernel refused"} (${code})`);
    this.code = code;
  }
}

const reasons: Readonly<Record<string, string>> = {
  EPERM: "not permitted: run as root, or inside the user namespace that owns the network namespace",
  EMSGSIZE: "more than the kernel takes in one message",
  ENOBUFS: "more answers than the socket holds",
  ENOENT: "there is no such object",
  EEXIST: "it exists already with another value",
  EPROTONOSUPPORT: "this kernel has no netfilter: load the kernel module nfnetlink",
  ENOTSUP: "this kernel has no support for it: load the kernel modules nf_tables and nf_conntrack",
  EINVAL: "the kernel does not know what was asked for: its nf_tables may be older than this needs (5.10)",
};

/** Parts of netfilter that speak through nfnetlink, from <linux/netfilter/nfnetlink.h>. */
export const subsystem = { conntrack: 1, nftables: 10 } as const;

const netfilterProtocol = 12;
const solSocket = 1;
const solNetlink = 270;
const option = { sendBuffer: 7, receiveBuffer: 8, sendBufferForce: 32, receiveBufferForce: 33, capAck: 10 } as const;
const membership = { join: 1, leave: 2 } as const;
/** NFNLGRP_NFTABLES: every change of nftables' rules in the namespace. */
export const nftablesGroup = 7;
const batch = { begin: 16, end: 17 } as const;
/** A dump that saw a change is asked for again this often. */
const dumpAttempts = 8;

/** One message of a batch or a request, as encoders write it. */
export interface Request {
  /** `subsystem << 8 | message`. */
  readonly type: number;
  readonly flags: number;
  /** nfgenmsg's family: 0, 2 (IPv4) or 10 (IPv6). */
  readonly family: number;
  readonly write: (writer: MessageWriter) => void;
}

/**
 * A kept nfnetlink socket, bound to the namespace it was opened in, from whichever thread it is used. The kernel has
 * done everything before a call returns. Closing one after a change costs milliseconds: keep it.
 */
export class NfnetlinkSocket {
  readonly #fd: number;
  readonly #buffer = new Uint8Array(65_536);
  #sendBufferBytes = 200_000;
  #sequence = 0;
  #isOpen = true;

  constructor(namespace: NetworkNamespace) {
    this.#fd = namespace.run(() =>
      openSocket(socketFamilies.netlink, socketTypes.raw | socketTypes.closeOnExec, netfilterProtocol),
    );
    setSocketOption(this.#fd, { level: solNetlink, name: option.capAck }, 1);
    this.#setBuffer(option.receiveBufferForce, option.receiveBuffer, 4_000_000);
  }

  /** The answers' payloads, without what says that it is done. */
  request(action: string, request: Request): readonly Uint8Array[] {
    for (let attempt = 1; ; attempt += 1) {
      const sequence = this.#nextSequence();
      const writer = new MessageWriter();
      writeRequest(writer, { ...request, flags: request.flags | messageFlag.request }, sequence);
      this.#send(action, writer.finish());
      const { payloads, isInterrupted } = this.#receiveAnswer(action, sequence);
      if (!isInterrupted || attempt === dumpAttempts) return payloads;
    }
  }

  /** Sends `requests` as one nftables transaction. Throws `NfnetlinkError`; nothing is changed then. */
  commit(action: string, requests: readonly Request[]): void {
    if (requests.length === 0) return;
    const writer = new MessageWriter();
    const first = this.#nextSequence();
    writeBatchMark(writer, batch.begin, first);
    requests.forEach((request, index) => {
      // One answer tells that all is done; errors come for any message.
      const ack = index === requests.length - 1 ? messageFlag.ack : 0;
      writeRequest(writer, { ...request, flags: request.flags | messageFlag.request | ack }, this.#nextSequence());
    });
    writeBatchMark(writer, batch.end, this.#nextSequence());
    this.#send(action, writer.finish());
    this.#expectNoErrors(action, first);
  }

  /** Whether notifications of `group` are queued from now on for `notifications`. */
  listen(group: number, isOn: boolean): void {
    try {
      setSocketOption(this.#fd, { level: solNetlink, name: isOn ? membership.join : membership.leave }, group);
    } catch (error) {
      throw translate("listen to changes", error);
    }
  }

  /** What was queued; throws `NfnetlinkError` with ENOBUFS where the queue overflowed since the last call. */
  *notifications(): Generator<Message, void, undefined> {
    for (
      let messages = this.#receive("read changes");
      messages !== undefined;
      messages = this.#receive("read changes")
    ) {
      yield* messages;
    }
  }

  close(): void {
    if (this.#isOpen) closeSocket(this.#fd);
    this.#isOpen = false;
  }

  #nextSequence(): number {
    this.#sequence = (this.#sequence % 0x7fff_ffff) + 1;
    return this.#sequence;
  }

  #send(action: string, bytes: Uint8Array): void {
    if (bytes.length * 2 > this.#sendBufferBytes) {
      this.#sendBufferBytes = bytes.length * 2;
      this.#setBuffer(option.sendBufferForce, option.sendBuffer, this.#sendBufferBytes);
    }
    try {
      sendOnSocket(this.#fd, bytes);
    } catch (error) {
      throw translate(action, error);
    }
  }

  /** Without the machine's root the kernel keeps to its limit (net.core.wmem_max): sending says then what does not fit. */
  #setBuffer(force: number, plain: number, bytes: number): void {
    try {
      setSocketOption(this.#fd, { level: solSocket, name: force }, bytes);
    } catch {
      setSocketOption(this.#fd, { level: solSocket, name: plain }, bytes);
    }
  }

  /** Undefined where nothing more has come. */
  #receive(action: string): Generator<Message, void, undefined> | undefined {
    try {
      const length = receiveFromSocket(this.#fd, this.#buffer, messageFlags.doNotWait);
      return readMessages(this.#buffer.subarray(0, length));
    } catch (error) {
      if (error instanceof SystemCallError && error.errno === constants.errno.EAGAIN) return undefined;
      throw translate(action, error);
    }
  }

  #receiveAnswer(action: string, sequence: number): { payloads: Uint8Array[]; isInterrupted: boolean } {
    const payloads: Uint8Array[] = [];
    let isInterrupted = false;
    for (;;) {
      const messages = this.#receive(action);
      // The kernel answers while it is asked: nothing left means that the request has no end mark.
      if (messages === undefined) return { payloads, isInterrupted };
      for (const message of messages) {
        if (message.sequence !== sequence) continue;
        isInterrupted ||= (message.flags & messageFlag.interrupted) !== 0;
        if (message.type === messageType.error || message.type === messageType.done) {
          const errno = errnoOf(message);
          if (errno !== 0) throw new NfnetlinkError(action, errnoName(errno));
          return { payloads, isInterrupted };
        }
        if (message.type !== messageType.noop) payloads.push(message.payload.slice());
      }
    }
  }

  #expectNoErrors(action: string, first: number): void {
    let failed = 0;
    for (let messages = this.#receive(action); messages !== undefined; messages = this.#receive(action)) {
      for (const message of messages) {
        if (message.type !== messageType.error || message.sequence < first) continue;
        failed ||= errnoOf(message);
      }
    }
    if (failed !== 0) throw new NfnetlinkError(action, errnoName(failed));
  }
}

function translate(action: string, error: unknown): unknown {
  return error instanceof SystemCallError ? new NfnetlinkError(action, error.code) : error;
}

function writeRequest(writer: MessageWriter, request: Request, sequence: number): void {
  writer.begin(request.type, request.flags, sequence);
  // struct nfgenmsg: family, version 0, resource id in network order.
  writer.u8(request.family).u8(0).u16(0);
  request.write(writer);
}

function writeBatchMark(writer: MessageWriter, type: number, sequence: number): void {
  writer.begin(type, messageFlag.request, sequence).u8(0).u8(0).u8(0).u8(subsystem.nftables);
}

function errnoOf({ payload }: Message): number {
  if (payload.length < 4) return 0;
  return -new DataView(payload.buffer, payload.byteOffset, payload.byteLength).getInt32(0, true);
}
