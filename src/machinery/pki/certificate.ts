/** Issues X.509 certificates (RFC 5280) with EC P-256 keys. */
import { createHash, createPublicKey, generateKeyPairSync, randomBytes, sign, X509Certificate } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { isIPv6 } from "node:net";
import {
  bitString,
  boolean,
  explicit,
  implicit,
  objectIdentifier,
  octetString,
  readElement,
  readElements,
  sequence,
  set,
  time,
  unsignedInteger,
  utf8String,
} from "../../lib/der/index.ts";

/** Kubernetes reads the user from the common name and the groups from the organizations. */
export interface CertificateRequest {
  readonly commonName: string;
  readonly organizations?: readonly string[];
  readonly usage: "ca" | "server" | "client";
  readonly dnsNames?: readonly string[];
  /** Of both families. */
  readonly ipAddresses?: readonly string[];
  readonly validDays: number;
}

/** PEM texts. */
export interface CertificateAndKey {
  readonly certificate: string;
  readonly key: string;
}

const oids = {
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  commonName: "2.5.4.3",
  organization: "2.5.4.10",
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAlternativeName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  authorityKeyIdentifier: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
  clientAuth: "1.3.6.1.5.5.7.3.2",
} as const;

/** Makes a key and its certificate, signed by `issuer` or, for a new authority, by itself. `now` in milliseconds. */
export function issueCertificate(
  request: CertificateRequest,
  { issuer, now }: { readonly issuer: CertificateAndKey | undefined; readonly now: number },
): CertificateAndKey {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const key = privateKey.export({ type: "sec1", format: "pem" }) as string;
  const usages = request.usage === "server" ? (["server auth"] as const) : (["client auth"] as const);
  const body = {
    ...request,
    publicKey,
    usages: request.usage === "ca" ? [] : usages,
    isAuthority: request.usage === "ca",
    notAfter: now + request.validDays * 86_400_000,
  };
  return { certificate: signCertificate(body, { issuer: issuer ?? { key }, now }), key };
}

/** What a certificate says, whoever made its key. */
export interface CertificateBody extends Pick<
  CertificateRequest,
  "commonName" | "organizations" | "dnsNames" | "ipAddresses"
> {
  readonly publicKey: KeyObject;
  /** In the words of CertificateSigningRequests; those that are no extended usages count for the key's own. */
  readonly usages: readonly string[];
  readonly isAuthority?: boolean;
  /** Milliseconds since the epoch. */
  readonly notAfter: number;
}

/** The PEM certificate. An issuer without a certificate signs itself. */
export function signCertificate(
  body: CertificateBody,
  {
    issuer,
    now,
  }: { readonly issuer: Partial<CertificateAndKey> & Pick<CertificateAndKey, "key">; readonly now: number },
): string {
  const subject = distinguishedName(body);
  const authority = issuer.certificate === undefined ? undefined : new X509Certificate(issuer.certificate);
  const toBeSigned = sequence(
    explicit(0, unsignedInteger(Uint8Array.of(2))),
    unsignedInteger(serialNumber()),
    sequence(objectIdentifier(oids.ecdsaWithSha256)),
    authority === undefined ? subject : authorityName(authority),
    // Clocks of clients may be a little behind.
    sequence(time(new Date(now - 300_000)), time(new Date(body.notAfter))),
    subject,
    body.publicKey.export({ type: "spki", format: "der" }),
    explicit(3, extensions(body, authority?.publicKey ?? body.publicKey)),
  );
  const certificate = sequence(
    toBeSigned,
    sequence(objectIdentifier(oids.ecdsaWithSha256)),
    bitString(sign("sha256", toBeSigned, issuer.key)),
  );
  return pem("CERTIFICATE", certificate);
}

/** One set per organization, then the common name, as Go's library writes it. */
function distinguishedName({
  commonName,
  organizations = [],
}: Pick<CertificateRequest, "commonName" | "organizations">): Uint8Array {
  const names = organizations.map((organization) => attribute(oids.organization, organization));
  return sequence(...(names.length === 0 ? [] : [set(...names)]), set(attribute(oids.commonName, commonName)));
}

function attribute(oid: string, value: string): Uint8Array {
  return sequence(objectIdentifier(oid), utf8String(value));
}

/** Our authorities carry a common name only. */
function authorityName(authority: X509Certificate): Uint8Array {
  return distinguishedName({ commonName: /^CN=(.*)$/m.exec(authority.subject)?.[1] ?? "" });
}

const extendedUsages: Readonly<Record<string, string>> = {
  "server auth": oids.serverAuth,
  "client auth": oids.clientAuth,
};

function extensions(body: CertificateBody, authorityKey: KeyObject): Uint8Array {
  const { isAuthority = false, publicKey, usages } = body;
  const list = [
    extension(oids.keyUsage, keyUsage(isAuthority, usages), true),
    extension(oids.basicConstraints, isAuthority ? sequence(boolean(true)) : sequence(), true),
    extension(oids.subjectKeyIdentifier, octetString(keyIdentifier(publicKey))),
    extension(oids.authorityKeyIdentifier, sequence(implicit(0, keyIdentifier(authorityKey)))),
  ];
  const extended = usages.flatMap((usage) => extendedUsages[usage] ?? []);
  if (extended.length > 0) list.push(extension(oids.extendedKeyUsage, sequence(...extended.map(objectIdentifier))));
  const names = [
    ...(body.dnsNames ?? []).map((name) => implicit(2, new TextEncoder().encode(name))),
    ...(body.ipAddresses ?? []).map((address) => implicit(7, addressBytes(address))),
  ];
  if (names.length > 0) list.push(extension(oids.subjectAlternativeName, sequence(...names)));
  return sequence(...list);
}

/** keyCertSign (bit 5) and cRLSign (bit 6) for an authority, digitalSignature (bit 0) and keyEncipherment (bit 2) for others. */
function keyUsage(isAuthority: boolean, usages: readonly string[]): Uint8Array {
  if (isAuthority) return bitString(Uint8Array.of(0x86), 1);
  return usages.includes("key encipherment") ? bitString(Uint8Array.of(0xa0), 5) : bitString(Uint8Array.of(0x80), 7);
}

function extension(oid: string, value: Uint8Array, isCritical = false): Uint8Array {
  return sequence(objectIdentifier(oid), ...(isCritical ? [boolean(true)] : []), octetString(value));
}

/** RFC 5280 section 4.2.1.2 (1): SHA-1 of the public key's bits. */
function keyIdentifier(key: KeyObject): Uint8Array {
  const [, bits] = readElements(readElement(key.export({ type: "spki", format: "der" })).content);
  // The first byte of a bit string says how many bits of the last one do not count.
  const bytes = bits?.content.subarray(1) ?? new Uint8Array();
  return createHash("sha1").update(bytes).digest();
}

/** Positive and not zero. */
function serialNumber(): Uint8Array {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes;
}

function addressBytes(address: string): Uint8Array {
  if (!isIPv6(address)) return Uint8Array.from(address.split("."), Number);
  const [head = "", tail] = address.split("::");
  const before = addressGroups(head);
  const after = tail === undefined ? [] : addressGroups(tail);
  const zeros = tail === undefined ? [] : Array<number>(8 - before.length - after.length).fill(0);
  return Uint8Array.from([...before, ...zeros, ...after].flatMap((group) => [group >> 8, group & 0xff]));
}

function addressGroups(text: string): number[] {
  return text === "" ? [] : text.split(":").map((group) => parseInt(group, 16));
}

function pem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

/** A key pair for signing tokens (ES256). */
export function createSigningKey(): { readonly privateKey: string; readonly publicKey: string } {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return {
    privateKey: privateKey.export({ type: "sec1", format: "pem" }) as string,
    publicKey: createPublicKey(privateKey).export({ type: "spki", format: "pem" }) as string,
  };
}
