/** Reads PKCS #10 certification requests (RFC 2986): what somebody wants a certificate to say. */
import { createPublicKey, verify } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { readElement, readElements, readObjectIdentifier } from "../../lib/der/index.ts";
import type { DerElement } from "../../lib/der/index.ts";

export interface CertificationRequest {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly emailAddresses: readonly string[];
  readonly uris: readonly string[];
  readonly publicKey: KeyObject;
}

/** Requests are short; anything longer is none. */
const limitBytes = 64 * 1024;

const signatures: Readonly<Record<string, string | null>> = {
  "1.2.840.10045.4.3.2": "sha256",
  "1.2.840.10045.4.3.3": "sha384",
  "1.2.840.10045.4.3.4": "sha512",
  "1.2.840.113549.1.1.11": "sha256",
  "1.2.840.113549.1.1.12": "sha384",
  "1.2.840.113549.1.1.13": "sha512",
  // Ed25519 hashes by itself.
  "1.3.101.112": null,
};
const oids = {
  commonName: "2.5.4.3",
  organization: "2.5.4.10",
  extensionRequest: "1.2.840.113549.1.9.14",
  alternativeNames: "2.5.29.17",
} as const;

/** `encoded` is the base64 of the PEM text, as CertificateSigningRequests carry it. Undefined for what is no request, or not signed by its own key. */
export function parseCertificationRequest(encoded: string): CertificationRequest | undefined {
  if (encoded.length > limitBytes) return undefined;
  const text = Buffer.from(encoded, "base64").toString();
  const [, body] =
    /^-----BEGIN CERTIFICATE REQUEST-----\s+([A-Za-z0-9+/=\s]+?)\s*-----END CERTIFICATE REQUEST-----/m.exec(text) ?? [];
  if (body === undefined) return undefined;
  try {
    return readRequest(Buffer.from(body, "base64"));
  } catch {
    // Whatever is wrong with the bytes, it is not a request.
    return undefined;
  }
}

function readRequest(bytes: Uint8Array): CertificationRequest | undefined {
  const [info, algorithm, signature] = readElements(readElement(bytes).content);
  if (info === undefined || algorithm === undefined || signature === undefined) return undefined;
  const [, subject, keyInfo, attributes] = readElements(info.content);
  if (subject === undefined || keyInfo === undefined) return undefined;
  const publicKey = createPublicKey({ key: Buffer.from(keyInfo.raw), format: "der", type: "spki" });
  const hash = signatures[readObjectIdentifier(firstOf(algorithm))];
  if (hash === undefined || !verify(hash, info.raw, publicKey, signature.content.subarray(1))) return undefined;
  const names = subjectNames(subject);
  return {
    commonName: names.filter(([oid]) => oid === oids.commonName).at(-1)?.[1] ?? "",
    organizations: names.filter(([oid]) => oid === oids.organization).map(([, value]) => value),
    ...alternativeNames(attributes),
    publicKey,
  };
}

function firstOf(element: DerElement): DerElement {
  const [first] = readElements(element.content);
  if (first === undefined) throw new Error("Cannot read the request: an element is empty");
  return first;
}

/** Sets of pairs of an identifier and a text. */
function subjectNames(subject: DerElement): readonly (readonly [string, string])[] {
  return readElements(subject.content)
    .flatMap(({ content }) => readElements(content))
    .map(({ content }) => {
      const [type, value] = readElements(content);
      if (type === undefined || value === undefined) throw new Error("Cannot read the request: a name without a value");
      return [readObjectIdentifier(type), Buffer.from(value.content).toString()] as const;
    });
}

type AlternativeNames = Pick<CertificationRequest, "dnsNames" | "ipAddresses" | "emailAddresses" | "uris">;

function alternativeNames(attributes: DerElement | undefined): AlternativeNames {
  const found = extensionsOf(attributes).find(([oid]) => oid === oids.alternativeNames)?.[1];
  const names = found === undefined ? [] : readElements(readElement(found).content);
  const texts = (tag: number): readonly string[] =>
    names.filter((name) => name.tag === tag).map(({ content }) => Buffer.from(content).toString("latin1"));
  return {
    emailAddresses: texts(0x81),
    dnsNames: texts(0x82),
    uris: texts(0x86),
    ipAddresses: names.filter(({ tag }) => tag === 0x87).map(({ content }) => addressText(content)),
  };
}

function extensionsOf(attributes: DerElement | undefined): readonly (readonly [string, Uint8Array])[] {
  const wanted = readElements(attributes?.content ?? new Uint8Array()).find(
    (attribute) => readObjectIdentifier(firstOf(attribute)) === oids.extensionRequest,
  );
  const [, values] = wanted === undefined ? [] : readElements(wanted.content);
  if (values === undefined) return [];
  return readElements(firstOf(values).content).map((extension) => {
    const parts = readElements(extension.content);
    const value = parts.at(-1);
    return [readObjectIdentifier(firstOf(extension)), value?.content ?? new Uint8Array()] as const;
  });
}

function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  if (bytes.length !== 16) throw new Error(`Cannot read the request: an address of ${bytes.length} bytes`);
  const groups = Array.from({ length: 8 }, (_, index) => ((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0));
  return groups.map((group) => group.toString(16)).join(":");
}
