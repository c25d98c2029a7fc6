/** Writes protocol buffer messages (proto3 wire format), field by field, in the order of the calls. */

const lengthDelimited = 2;
const varint = 0;

export class ProtobufWriter {
  private bytes = new Uint8Array(256);
  private length = 0;

  /** Leaves out the empty string, as proto3 does. */
  string(field: number, text: string | undefined): void {
    if (text !== undefined && text !== "") this.delimited(field, Buffer.from(text));
  }

  strings(field: number, texts: readonly string[] | undefined): void {
    for (const text of texts ?? []) this.delimited(field, Buffer.from(text));
  }

  /** Leaves out `false`, as proto3 does. */
  boolean(field: number, value: boolean | undefined): void {
    if (value !== true) return;
    this.unsigned(field * 8 + varint);
    this.unsigned(1);
  }

  /** Writes the message even when nothing is set in it. */
  message(field: number, write: (writer: ProtobufWriter) => void): void {
    const inner = new ProtobufWriter();
    write(inner);
    this.delimited(field, inner.finish());
  }

  finish(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  private delimited(field: number, content: Uint8Array): void {
    this.unsigned(field * 8 + lengthDelimited);
    this.unsigned(content.length);
    this.reserve(content.length);
    this.bytes.set(content, this.length);
    this.length += content.length;
  }

  private unsigned(value: number): void {
    this.reserve(5);
    let rest = value;
    while (rest >= 0x80) {
      this.bytes[this.length] = (rest & 0x7f) | 0x80;
      this.length += 1;
      rest >>>= 7;
    }
    this.bytes[this.length] = rest;
    this.length += 1;
  }

  private reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }
}
