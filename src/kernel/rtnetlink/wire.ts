/**
 * Netlink's wire format (RFC 3549 section 2, <linux/netlink.h>): messages of a 16-byte header, a fixed part and
 * attributes, everything padded to 4 bytes and in the machine's byte order, which is little-endian wherever we run.
 * Decoding trusts nothing: lengths are checked against what is there.
 */

/** Bytes from the kernel (or from a fuzzer) that are no netlink message. */
export class NetlinkDecodeError extends Error {
  readonly code = "InvalidNetlinkMessage";
  override readonly name = "NetlinkDecodeError";
}

export const messageFlag = {
  request: 0x1,
  ack: 0x4,
  dump: 0x300,
  replace: 0x100,
  exclusive: 0x200,
  create: 0x400,
  append: 0x800,
  /** On an answer: the state changed while it was dumped. */
  interrupted: 0x10,
  /** On an error answer: it carries attributes (extended acknowledgement), and no copy of the request. */
  hasAttributes: 0x200,
  isCapped: 0x100,
} as const;

export const messageType = { noop: 1, error: 2, done: 3 } as const;

const headerLength = 16;
const nestedFlag = 0x8000;
const textEncoder = new TextEncoder();
const textDecoder = new TextDecoder();

export interface Message {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  /** Without the header. */
  readonly payload: Uint8Array;
}

/** Writes one message after the other into a buffer that grows. */
export class MessageWriter {
  #bytes = new Uint8Array(512);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;
  #start = 0;

  /** Starts a message; the former one ends here. */
  begin(type: number, flags: number, sequence: number): this {
    this.#endMessage();
    this.#start = this.#length;
    return this.u32(headerLength).u16(type).u16(flags).u32(sequence).u32(0);
  }

  u8(value: number): this {
    this.#reserve(1);
    this.#view.setUint8(this.#length, value);
    this.#length += 1;
    return this;
  }

  u16(value: number): this {
    this.#reserve(2);
    this.#view.setUint16(this.#length, value, true);
    this.#length += 2;
    return this;
  }

  u32(value: number): this {
    this.#reserve(4);
    this.#view.setUint32(this.#length, value, true);
    this.#length += 4;
    return this;
  }

  bytes(value: Uint8Array): this {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
    return this;
  }

  attribute(type: number, value: Uint8Array): this {
    return this.u16(value.length + 4)
      .u16(type)
      .bytes(value).#pad();
  }

  attributeU32(type: number, value: number): this {
    return this.u16(8).u16(type).u32(value);
  }

  /** With the terminating zero byte that the kernel expects. */
  attributeText(type: number, value: string): this {
    return this.attribute(type, textEncoder.encode(`${value}\0`));
  }

  /** An attribute that holds what `write` adds. */
  nested(type: number, write: (writer: this) => void): this {
    const start = this.#length;
    this.u16(0).u16(type | nestedFlag);
    write(this);
    this.#view.setUint16(start, this.#length - start, true);
    return this;
  }

  /** All messages; the writer is not used after. */
  finish(): Uint8Array {
    this.#endMessage();
    return this.#bytes.subarray(0, this.#length);
  }

  #endMessage(): void {
    if (this.#length > this.#start) this.#view.setUint32(this.#start, this.#length - this.#start, true);
  }

  #pad(): this {
    const padding = -this.#length & 3;
    if (padding > 0) {
      this.#reserve(padding);
      this.#bytes.fill(0, this.#length, this.#length + padding);
      this.#length += padding;
    }
    return this;
  }

  #reserve(size: number): void {
    if (this.#length + size <= this.#bytes.length) return;
    const larger = new Uint8Array((this.#length + size) * 2);
    larger.set(this.#bytes);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}

/** Splits one datagram. Throws `NetlinkDecodeError` where a length does not fit. */
export function* readMessages(datagram: Uint8Array): Generator<Message, void, undefined> {
  const view = viewOf(datagram);
  for (let offset = 0; offset < datagram.length;) {
    if (offset + headerLength > datagram.length) {
      throw new NetlinkDecodeError(`Cannot read netlink message: ${datagram.length - offset} bytes are no header`);
    }
    const length = view.getUint32(offset, true);
    if (length < headerLength || length > datagram.length - offset) {
      throw new NetlinkDecodeError(
        `Cannot read netlink message: its length ${length} does not fit ${datagram.length - offset} bytes`,
      );
    }
    yield {
      type: view.getUint16(offset + 4, true),
      flags: view.getUint16(offset + 6, true),
      sequence: view.getUint32(offset + 8, true),
      payload: datagram.subarray(offset + headerLength, offset + length),
    };
    offset += align(length);
  }
}

/** Attributes by type; of a repeated one the last counts, as in the kernel. Throws `NetlinkDecodeError`. */
export function readAttributes(bytes: Uint8Array): ReadonlyMap<number, Uint8Array> {
  const view = viewOf(bytes);
  const attributes = new Map<number, Uint8Array>();
  for (let offset = 0; offset + 4 <= bytes.length;) {
    const length = view.getUint16(offset, true);
    if (length < 4 || length > bytes.length - offset) {
      throw new NetlinkDecodeError(
        `Cannot read netlink attribute: its length ${length} does not fit ${bytes.length - offset} bytes`,
      );
    }
    // The two high bits say "nested" and "network byte order".
    attributes.set(view.getUint16(offset + 2, true) & 0x3fff, bytes.subarray(offset + 4, offset + length));
    offset += align(length);
  }
  return attributes;
}

/** The fixed part and the attributes behind it. Throws `NetlinkDecodeError` where the payload is shorter. */
export function splitPayload(
  payload: Uint8Array,
  fixedLength: number,
): { readonly fixed: DataView; readonly attributes: ReadonlyMap<number, Uint8Array> } {
  if (payload.length < fixedLength) {
    throw new NetlinkDecodeError(`Cannot read netlink message: ${payload.length} bytes instead of ${fixedLength}`);
  }
  return {
    fixed: viewOf(payload.subarray(0, fixedLength)),
    attributes: readAttributes(payload.subarray(align(fixedLength))),
  };
}

/** Undefined where there is no such attribute. Throws `NetlinkDecodeError` where it is no 32-bit number. */
export function readU32(attribute: Uint8Array | undefined): number | undefined {
  if (attribute === undefined) return undefined;
  if (attribute.length !== 4) {
    throw new NetlinkDecodeError(`Cannot read netlink attribute: ${attribute.length} bytes instead of 4`);
  }
  return viewOf(attribute).getUint32(0, true);
}

/** Up to the first zero byte. */
export function readText(attribute: Uint8Array | undefined): string | undefined {
  if (attribute === undefined) return undefined;
  const end = attribute.indexOf(0);
  return textDecoder.decode(end < 0 ? attribute : attribute.subarray(0, end));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function align(length: number): number {
  return (length + 3) & ~3;
}
