/** Writes the little DER (X.690) that certificates need: each function returns one encoded element. */

type Bytes = Uint8Array;

/** Tag, length, content. */
function element(tag: number, content: Bytes): Bytes {
  const length = lengthBytes(content.length);
  const bytes = new Uint8Array(1 + length.length + content.length);
  bytes[0] = tag;
  bytes.set(length, 1);
  bytes.set(content, 1 + length.length);
  return bytes;
}

function lengthBytes(length: number): readonly number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [0x80 | bytes.length, ...bytes];
}

function joined(parts: readonly Bytes[]): Bytes {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

export function sequence(...parts: readonly Bytes[]): Bytes {
  return element(0x30, joined(parts));
}

export function set(...parts: readonly Bytes[]): Bytes {
  return element(0x31, joined(parts));
}

/** A non-negative integer, big-endian, of any length. */
export function unsignedInteger(bytes: Bytes): Bytes {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1;
  const digits = bytes.subarray(start);
  const isNegativeLooking = ((digits[0] ?? 0) & 0x80) !== 0;
  return element(0x02, isNegativeLooking || digits.length === 0 ? joined([new Uint8Array(1), digits]) : digits);
}

export function boolean(value: boolean): Bytes {
  return element(0x01, Uint8Array.of(value ? 0xff : 0));
}

/** "2.5.29.17". */
export function objectIdentifier(dotted: string): Bytes {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const digits = [arc % 128];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) digits.unshift((left % 128) | 0x80);
    bytes.push(...digits);
  }
  return element(0x06, Uint8Array.from(bytes));
}

export function octetString(bytes: Bytes): Bytes {
  return element(0x04, bytes);
}

/** Whole bytes, or flags of which the last `unusedBits` do not count. */
export function bitString(bytes: Bytes, unusedBits = 0): Bytes {
  return element(0x03, joined([Uint8Array.of(unusedBits), bytes]));
}

export function utf8String(text: string): Bytes {
  return element(0x0c, new TextEncoder().encode(text));
}

/** To the second; UTCTime until 2049 as RFC 5280 section 4.1.2.5 wants it, GeneralizedTime after. */
export function time(date: Date): Bytes {
  const digits = `${date.toISOString().slice(0, 19).replace(/[-T:]/g, "")}Z`;
  const isShort = date.getUTCFullYear() < 2050;
  return element(isShort ? 0x17 : 0x18, new TextEncoder().encode(isShort ? digits.slice(2) : digits));
}

/** `[number]` around whole elements (explicit tagging). */
export function explicit(number: number, content: Bytes): Bytes {
  return element(0xa0 | number, content);
}

/** `[number]` in place of a primitive's own tag (implicit tagging). */
export function implicit(number: number, content: Bytes): Bytes {
  return element(0x80 | number, content);
}

export { DerError, readElement, readElements, readObjectIdentifier } from "./read.ts";
export type { DerElement } from "./read.ts";
