/** Reads DER (X.690) from strangers: every length is checked, and nothing is recursed into unless somebody asks. */

/** The bytes are no DER. */
export class DerError extends Error {
  override readonly name = "DerError";
  readonly code = "DER_INVALID";
}

export interface DerElement {
  readonly tag: number;
  readonly content: Uint8Array;
  /** With tag and length: what signatures cover. */
  readonly raw: Uint8Array;
}

/** The only element in the bytes. Throws `DerError`. */
export function readElement(bytes: Uint8Array): DerElement {
  const [first, second] = readElements(bytes);
  if (first === undefined || second !== undefined) throw new DerError("Cannot read DER: one element is expected");
  return first;
}

/** The elements that follow each other in the bytes: what a sequence or set contains. Throws `DerError`. */
export function readElements(bytes: Uint8Array): readonly DerElement[] {
  const elements: DerElement[] = [];
  for (let at = 0; at < bytes.length;) {
    const element = elementAt(bytes, at);
    elements.push(element);
    at += element.raw.length;
  }
  return elements;
}

function elementAt(bytes: Uint8Array, start: number): DerElement {
  const tag = bytes[start] ?? 0;
  if ((tag & 0x1f) === 0x1f) throw new DerError("Cannot read DER: tags of several bytes are not used in certificates");
  const first = bytes[start + 1];
  if (first === undefined) throw new DerError("Cannot read DER: it ends inside a length");
  let at = start + 2;
  let length = first;
  if (first >= 0x80) {
    const count = first & 0x7f;
    if (count === 0 || count > 4) throw new DerError(`Cannot read DER: a length of ${count} bytes`);
    length = 0;
    for (const end = at + count; at < end; at += 1) {
      const digit = bytes[at];
      if (digit === undefined) throw new DerError("Cannot read DER: it ends inside a length");
      length = length * 256 + digit;
    }
  }
  if (at + length > bytes.length) throw new DerError(`Cannot read DER: ${length} bytes are announced, fewer follow`);
  return { tag, content: bytes.subarray(at, at + length), raw: bytes.subarray(start, at + length) };
}

/** "2.5.4.3". Throws `DerError`. */
export function readObjectIdentifier({ tag, content }: DerElement): string {
  const [first] = content;
  if (tag !== 0x06 || first === undefined) throw new DerError("Cannot read DER: an object identifier is expected");
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of content) {
    arc = arc * 128 + (byte & 0x7f);
    if (arc > Number.MAX_SAFE_INTEGER / 128) throw new DerError("Cannot read DER: an arc that is too large");
    if (byte < 0x80) {
      arcs.push(arc);
      arc = 0;
    }
  }
  const [head = 0, ...rest] = arcs;
  const root = Math.min(Math.floor(head / 40), 2);
  return [root, head - root * 40, ...rest].join(".");
}
