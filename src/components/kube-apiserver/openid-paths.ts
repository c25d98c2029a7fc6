/** What others need to check service account tokens by themselves: OpenID Connect discovery and the public key. */
import type { TokenSigner } from "../../machinery/pki/index.ts";
import type { PathHandler } from "./handler.ts";

const keysPath = "/openid/v1/jwks";

/** `issuer` is also where the keys are, as seen from inside the cluster. */
export function createOpenIdPaths(signer: TokenSigner, issuer: string): PathHandler {
  const configuration = JSON.stringify({
    issuer,
    jwks_uri: `${issuer}${keysPath}`,
    response_types_supported: ["id_token"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["ES256"],
  });
  const keys = JSON.stringify(signer.jwks);
  return ({ path }) => {
    if (path === "/.well-known/openid-configuration")
      return { code: 200, body: configuration, contentType: "application/json" };
    return path === keysPath ? { code: 200, body: keys, contentType: "application/jwk-set+json" } : undefined;
  };
}
