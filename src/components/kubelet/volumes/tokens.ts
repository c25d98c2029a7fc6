/** Service account tokens for pods, kept until four fifths of their life are over. */
import type { AuthenticationV1TokenRequest, Pod, ServiceAccountTokenProjection } from "../../../api/generated/types.ts";
import { resources } from "../../../api/resources.ts";
import type { ApiClient } from "../../../client/api-client.ts";
import type { Clock } from "../../../machinery/clock.ts";

export interface Tokens {
  /**
   * `present`: what the pod has from before an agent's restart; it stays while it is young enough. Rejects with the API's
   * error: `serviceaccounts "web" not found`.
   */
  tokenFor(pod: Pod, projection: ServiceAccountTokenProjection, present?: string): Promise<string>;
  forget(uid: string): void;
}

const defaultSeconds = 3600;
/** However long a token lives, a younger one is fetched after a day, as upstream does. */
const longestUseMs = 24 * 3600 * 1000;

interface KeptToken {
  readonly token: string;
  /** Before that it is not valid: the clock was set back since it was made. */
  readonly fromMs: number;
  readonly renewAtMs: number;
}

const lifeOf = (fromMs: number, lifeMs: number): Omit<KeptToken, "token"> => ({
  fromMs,
  renewAtMs: fromMs + Math.min(lifeMs * 0.8, longestUseMs),
});

const isFresh = ({ fromMs, renewAtMs }: KeptToken, nowMs: number): boolean => fromMs <= nowMs && nowMs < renewAtMs;

export function createTokens(client: ApiClient, clock: Clock): Tokens {
  const kept = new Map<string, Map<string, KeptToken>>();
  return {
    forget: (uid) => void kept.delete(uid),
    tokenFor: async (pod, { audience, expirationSeconds = defaultSeconds }, present) => {
      const { namespace = "default", name = "", uid = "" } = pod.metadata ?? {};
      const ofPod = kept.get(uid) ?? new Map<string, KeptToken>();
      kept.set(uid, ofPod);
      const key = `${audience ?? ""} ${expirationSeconds}`;
      const known = ofPod.get(key) ?? readToken(present, uid);
      if (known !== undefined && isFresh(known, clock.now())) {
        ofPod.set(key, known);
        return known.token;
      }
      const request: AuthenticationV1TokenRequest = {
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenRequest",
        spec: {
          ...(audience === undefined ? {} : { audiences: [audience] }),
          expirationSeconds,
          boundObjectRef: { apiVersion: "v1", kind: "Pod", name, uid },
        },
      };
      const account = { namespace, name: pod.spec?.serviceAccountName ?? "default" };
      const answer = await client.createSubresource(resources.serviceAccounts, account, "token", request);
      const { token = "", expirationTimestamp = "" } = (answer as AuthenticationV1TokenRequest).status ?? {};
      const endMs = Date.parse(expirationTimestamp);
      const lifeMs = Number.isNaN(endMs) ? expirationSeconds * 1000 : endMs - clock.now();
      // As the server writes it: in whole seconds.
      ofPod.set(key, { token, ...lifeOf(Math.floor(clock.now() / 1000) * 1000, lifeMs) });
      return token;
    },
  };
}

/** Undefined for what is no token of this pod. A pod's volumes never change: what it was asked for is what would be asked. */
function readToken(text: string | undefined, podUid: string): KeptToken | undefined {
  try {
    const [, payload = ""] = (text ?? "").split(".");
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString()) as {
      readonly iat?: unknown;
      readonly exp?: unknown;
      readonly "kubernetes.io"?: { readonly pod?: { readonly uid?: unknown } };
    };
    const { iat, exp } = claims;
    if (typeof iat !== "number" || typeof exp !== "number" || claims["kubernetes.io"]?.pod?.uid !== podUid)
      return undefined;
    return { token: text ?? "", ...lifeOf(iat * 1000, (exp - iat) * 1000) };
  } catch {
    // Somebody wrote something else there.
    return undefined;
  }
}
