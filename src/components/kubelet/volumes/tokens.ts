/** Service account tokens for pods, kept until four fifths of their life are over. */
import type { AuthenticationV1TokenRequest, Pod, ServiceAccountTokenProjection } from "../../../api/generated/types.ts";
import { resources } from "../../../api/resources.ts";
import type { ApiClient } from "../../../client/api-client.ts";
import type { Clock } from "../../../machinery/clock.ts";

export interface Tokens {
  /** Rejects with the API's error: `serviceaccounts "web" not found`. */
  tokenFor(pod: Pod, projection: ServiceAccountTokenProjection): Promise<string>;
  forget(uid: string): void;
}

const defaultSeconds = 3600;
/** However long a token lives, a younger one is fetched after a day, as upstream does. */
const longestUseMs = 24 * 3600 * 1000;

export function createTokens(client: ApiClient, clock: Clock): Tokens {
  const kept = new Map<string, Map<string, { readonly token: string; readonly renewAtMs: number }>>();
  return {
    forget: (uid) => void kept.delete(uid),
    tokenFor: async (pod, { audience, expirationSeconds = defaultSeconds }) => {
      const { namespace = "default", name = "", uid = "" } = pod.metadata ?? {};
      const ofPod = kept.get(uid) ?? new Map<string, { readonly token: string; readonly renewAtMs: number }>();
      kept.set(uid, ofPod);
      const key = `${audience ?? ""} ${expirationSeconds}`;
      const known = ofPod.get(key);
      if (known !== undefined && clock.now() < known.renewAtMs) return known.token;
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
      ofPod.set(key, { token, renewAtMs: clock.now() + Math.min(lifeMs * 0.8, longestUseMs) });
      return token;
    },
  };
}
