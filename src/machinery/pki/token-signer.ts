/** JSON Web Tokens signed with ES256 (RFC 7515, RFC 7518 section 3.4). */
import { createHash, createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import type { KeyObject } from "node:crypto";

export interface TokenSigner {
  sign(claims: Readonly<Record<string, unknown>>): string;
  /** The claims of a token that this key signed; undefined for every other text. */
  verify(token: string): Readonly<Record<string, unknown>> | undefined;
  /** The public key for other verifiers (RFC 7517). */
  readonly jwks: { readonly keys: readonly Readonly<Record<string, unknown>>[] };
}

/** Longer texts are no tokens of ours, and not worth a look. */
const tokenLimitBytes = 16 * 1024;

/** `privateKey` is PEM. */
export function createTokenSigner(privateKey: string): TokenSigner {
  const secret = createPrivateKey(privateKey);
  const key = createPublicKey(secret);
  const kid = keyIdOf(key);
  const header = encode({ alg: "ES256", kid });
  const { kty, crv, x, y } = key.export({ format: "jwk" });
  return {
    sign: (claims) => {
      const signed = `${header}.${encode(claims)}`;
      return `${signed}.${sign("sha256", Buffer.from(signed), { key: secret, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
    },
    verify: (token) => {
      if (token.length > tokenLimitBytes) return undefined;
      const [head = "", payload = "", signature = "", ...rest] = token.split(".");
      // The header is ours to the letter, so nobody chooses the algorithm for us.
      if (rest.length > 0 || head !== header) return undefined;
      const bytes = Buffer.from(signature, "base64url");
      const isGood = verify("sha256", Buffer.from(`${head}.${payload}`), { key, dsaEncoding: "ieee-p1363" }, bytes);
      return isGood ? decode(payload) : undefined;
    },
    jwks: { keys: [{ use: "sig", kty, kid, alg: "ES256", crv, x, y }] },
  };
}

/** Upstream's: the hash of the public key. */
function keyIdOf(key: KeyObject): string {
  return createHash("sha256")
    .update(key.export({ type: "spki", format: "der" }))
    .digest("base64url");
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function decode(payload: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(payload, "base64url").toString());
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
}
