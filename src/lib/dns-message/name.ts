/** Domain names between their wire form and presentation form (RFC 1035 sections 3.1 and 5.1). */
import { DnsMessageError } from "./message.ts";

const maxNameBytes = 255;
const maxLabelBytes = 63;
/** A name has at most 127 labels; more pointers than that only cost time. */
const maxPointers = 127;
const dot = 0x2e;
const backslash = 0x5c;

/** Where a name ended in the message, and what it said. */
interface ReadName {
  readonly name: string;
  readonly end: number;
}

/**
 * Reads the name at `start`, following compression pointers. A pointer must lead to an earlier byte than the labels
 * before it (RFC 1035 section 4.1.4: "a prior occurrence"), so that every chain ends. Throws `DnsMessageError`.
 */
export function readName(message: Uint8Array, start: number): ReadName {
  let name = "";
  let wireBytes = 1;
  let at = start;
  let end = -1;
  let runStart = start;
  let pointers = 0;
  for (;;) {
    const length = message[at];
    if (length === undefined) throw malformed(start, "runs past the end of the message");
    if (length === 0) {
      if (end < 0) end = at + 1;
      return { name: name === "" ? "." : name, end };
    }
    if (length >= 0xc0) {
      const low = message[at + 1];
      if (low === undefined) throw malformed(start, "runs past the end of the message");
      const target = ((length & 0x3f) << 8) | low;
      if (target >= runStart) throw malformed(start, `points to byte ${target}, which does not come before it`);
      if (end < 0) end = at + 2;
      pointers += 1;
      if (pointers > maxPointers) throw malformed(start, `follows more than ${maxPointers} pointers`);
      at = runStart = target;
      continue;
    }
    if (length > maxLabelBytes) throw malformed(start, `has the unknown label type ${length >> 6}`);
    if (at + length >= message.length) throw malformed(start, "runs past the end of the message");
    wireBytes += length + 1;
    if (wireBytes > maxNameBytes) throw malformed(start, `exceeds ${maxNameBytes} bytes`);
    name += labelText(message, at + 1, at + 1 + length) + ".";
    at += length + 1;
  }
}

function labelText(message: Uint8Array, start: number, end: number): string {
  let text = "";
  for (let at = start; at < end; at += 1) {
    const byte = message[at] ?? 0;
    if (byte === dot || byte === backslash) text += "\\" + String.fromCharCode(byte);
    else if (byte > 0x20 && byte < 0x7f) text += String.fromCharCode(byte);
    else text += "\\" + String(byte).padStart(3, "0");
  }
  return text;
}

/**
 * The labels of an absolute name, unescaped, one character per byte; empty for the root. Throws `DnsMessageError` where
 * the text is no name.
 */
export function labelsOf(name: string): readonly string[] {
  if (name === ".") return [];
  if (!name.endsWith(".")) throw new DnsMessageError(`Cannot write name "${name}": it must end with a dot`);
  const labels = name.includes("\\") ? splitEscaped(name) : name.slice(0, -1).split(".");
  let bytes = 1;
  for (const label of labels) {
    if (label === "") throw new DnsMessageError(`Cannot write name "${name}": it has an empty label`);
    if (label.length > maxLabelBytes)
      throw new DnsMessageError(`Cannot write name "${name}": a label exceeds ${maxLabelBytes} bytes`);
    bytes += label.length + 1;
  }
  if (bytes > maxNameBytes) throw new DnsMessageError(`Cannot write name "${name}": it exceeds ${maxNameBytes} bytes`);
  return labels;
}

function splitEscaped(name: string): readonly string[] {
  const labels: string[] = [];
  let label = "";
  for (let at = 0; at < name.length; at += 1) {
    const character = name[at] ?? "";
    if (character === ".") {
      labels.push(label);
      label = "";
    } else if (character !== "\\") label += character;
    else {
      const digits = /^\d{3}/.exec(name.slice(at + 1))?.[0];
      if (digits !== undefined && Number(digits) > 255)
        throw new DnsMessageError(`Cannot write name "${name}": \\${digits} is no byte`);
      label += digits === undefined ? (name[at + 1] ?? "") : String.fromCharCode(Number(digits));
      at += digits === undefined ? 1 : 3;
    }
  }
  if (label !== "") throw new DnsMessageError(`Cannot write name "${name}": it must end with a dot`);
  return labels;
}

/** Names compare without regard to ASCII case (RFC 4343). */
export function canonicalName(name: string): string {
  return name.toLowerCase();
}

/** Whether `name` is `zone` or lies below it; both canonical. */
export function isInZone(name: string, zone: string): boolean {
  return zone === "." || name === zone || name.endsWith(`.${zone}`);
}

function malformed(start: number, why: string): DnsMessageError {
  return new DnsMessageError(`Cannot decode DNS message: the name at byte ${start} ${why}`);
}
