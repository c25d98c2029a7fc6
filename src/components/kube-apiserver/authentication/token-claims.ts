/** What our tokens say, and the user that it makes. */
import type { User } from "../user.ts";

export interface BoundObject {
  readonly name: string;
  readonly uid: string;
}

/** The private part of upstream's tokens. */
export interface KubernetesClaims {
  readonly namespace: string;
  readonly serviceaccount: BoundObject;
  readonly pod?: BoundObject;
  readonly node?: BoundObject;
  readonly secret?: BoundObject;
  readonly warnafter?: number;
}

export interface Claims {
  readonly aud: readonly string[];
  readonly exp: number;
  readonly iat: number;
  readonly nbf: number;
  readonly iss: string;
  readonly jti: string;
  readonly sub: string;
  readonly "kubernetes.io": KubernetesClaims;
}

/** Of tokens that lie in Secrets. */
export const secretTokenIssuer = "kubernetes/serviceaccount";

export type SecretTokenClaims = Readonly<Record<string, unknown>>;

export function secretClaims(claims: SecretTokenClaims): {
  readonly namespace: string;
  readonly secret: string;
  readonly account: string;
  readonly uid: string;
} {
  const text = (name: string): string => {
    const value = claims[`kubernetes.io/serviceaccount/${name}`];
    return typeof value === "string" ? value : "";
  };
  return {
    namespace: text("namespace"),
    secret: text("secret.name"),
    account: text("service-account.name"),
    uid: text("service-account.uid"),
  };
}

export function userOf(claims: Partial<Claims>, bound: KubernetesClaims): User {
  const { namespace, serviceaccount, pod, node } = bound;
  return {
    name: `system:serviceaccount:${namespace}:${serviceaccount.name}`,
    uid: serviceaccount.uid,
    groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`],
    extra: {
      "authentication.kubernetes.io/credential-id": [`JTI=${claims.jti ?? ""}`],
      ...(pod === undefined
        ? {}
        : {
            "authentication.kubernetes.io/pod-name": [pod.name],
            "authentication.kubernetes.io/pod-uid": [pod.uid],
          }),
      ...(node === undefined
        ? {}
        : {
            "authentication.kubernetes.io/node-name": [node.name],
            "authentication.kubernetes.io/node-uid": [node.uid],
          }),
    },
  };
}
