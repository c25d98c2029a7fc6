/** Reads protocol buffer messages, field by field, from bytes of an untrusted sender. */

/** The bytes are no message. */
export class ProtobufError extends Error {
  override readonly name = "ProtobufError";
  readonly code = "PROTOBUF_INVALID";
}

/** `integer` of varint and fixed fields (as unsigned 64 bits), `bytes` of all others. */
export interface ProtobufField {
  readonly number: number;
  readonly integer: bigint;
  readonly bytes: Uint8Array;
}

const none = new Uint8Array(0);

/** The fields in the order of the message; repeated ones repeat. Throws `ProtobufError`. */
export function readFields(message: Uint8Array): readonly ProtobufField[] {
  const fields: ProtobufField[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = message[at];
      if (byte === undefined) throw new ProtobufError("unexpected EOF");
      at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new ProtobufError("integer overflow");
  };
  const take = (length: number): Uint8Array => {
    if (length > message.length - at) throw new ProtobufError("unexpected EOF");
    at += length;
    return message.subarray(at - length, at);
  };
  while (at < message.length) {
    const tag = varint();
    const number = Number(tag >> 3n);
    if (number < 1 || number > 0x1f_ff_ff_ff) throw new ProtobufError(`illegal tag ${number}`);
    switch (Number(tag & 7n)) {
      case 0:
        fields.push({ number, integer: varint(), bytes: none });
        break;
      case 1:
        fields.push({ number, integer: littleEndian(take(8)), bytes: none });
        break;
      case 2: {
        const length = varint();
        if (length > BigInt(message.length)) throw new ProtobufError("unexpected EOF");
        fields.push({ number, integer: 0n, bytes: take(Number(length)) });
        break;
      }
      case 5:
        fields.push({ number, integer: littleEndian(take(4)), bytes: none });
        break;
      default:
        throw new ProtobufError(`illegal wireType ${tag & 7n}`);
    }
  }
  return fields;
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}
