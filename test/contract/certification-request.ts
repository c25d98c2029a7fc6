/** Makes PKCS #10 requests (RFC 2986) for tests. */
import { createPublicKey, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";
import {
  bitString,
  implicit,
  objectIdentifier,
  octetString,
  sequence,
  set,
  unsignedInteger,
  utf8String,
} from "../../src/lib/der/index.ts";

/** The base64 of the PEM text, as CertificateSigningRequests carry it. */
export function certificationRequest(wanted: {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly dnsNames?: readonly string[];
  readonly privateKey: KeyObject;
}): string {
  const { commonName, organizations, dnsNames = [], privateKey } = wanted;
  const attribute = (oid: string, text: string): Uint8Array => set(sequence(objectIdentifier(oid), utf8String(text)));
  const names = sequence(...dnsNames.map((name) => implicit(2, new TextEncoder().encode(name))));
  const extension = sequence(objectIdentifier("2.5.29.17"), octetString(names));
  const extensionRequest = sequence(objectIdentifier("1.2.840.113549.1.9.14"), set(sequence(extension)));
  const attributes = dnsNames.length === 0 ? new Uint8Array() : extensionRequest;
  const info = sequence(
    unsignedInteger(Uint8Array.of(0)),
    sequence(...organizations.map((name) => attribute("2.5.4.10", name)), attribute("2.5.4.3", commonName)),
    createPublicKey(privateKey).export({ type: "spki", format: "der" }),
    contextSet(attributes),
  );
  const signature = bitString(sign("sha256", info, privateKey));
  const der = sequence(info, sequence(objectIdentifier("1.2.840.10045.4.3.2")), signature);
  const body = Buffer.from(der).toString("base64").replace(/.{64}/g, "$&\n");
  const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${body}\n-----END CERTIFICATE REQUEST-----\n`;
  return Buffer.from(pem).toString("base64");
}

/** `[0]` in place of the tag of a set. */
function contextSet(content: Uint8Array): Uint8Array {
  const bytes = set(content);
  bytes[0] = 0xa0;
  return bytes;
}
