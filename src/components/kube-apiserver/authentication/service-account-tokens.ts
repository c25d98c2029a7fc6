/** Service account tokens: short-lived, bound to an account and often to a pod; both must still exist. */
import { own } from "../../../lib/own/index.ts";
import { randomUUID } from "node:crypto";
import type { AuthenticationV1TokenRequest, Pod, Secret, TokenRequestSpec } from "../../../api/generated/types.ts";
import type { KubernetesObject } from "../../../api/object.ts";
import { goList } from "../../../model/rbac/index.ts";
import { badRequest, conflict, invalid, notFound } from "../../../api/status.ts";
import type { FieldError } from "../../../api/field-error.ts";
import type { Clock } from "../../../machinery/clock.ts";
import type { ObjectStore } from "../../../storage/index.ts";
import { serviceAccountUser } from "../user.ts";
import type { User } from "../user.ts";
import type { TokenAuthenticator } from "./authenticator.ts";
import { secretClaims, secretTokenIssuer, userOf } from "./token-claims.ts";
import type { BoundObject, Claims, KubernetesClaims, SecretTokenClaims } from "./token-claims.ts";
import type { TokenSigner } from "../../../machinery/pki/index.ts";

export interface ServiceAccountTokens extends TokenAuthenticator {
  /** Answers a TokenRequest for the account. Throws `ApiError`. */
  issue(account: KubernetesObject, request: AuthenticationV1TokenRequest): AuthenticationV1TokenRequest;
  /** Whose token is it, for one of these audiences (none: this API)? */
  review(token: string, audiences: readonly string[]): TokenOwner | TokenProblem;
}

export interface TokenOwner {
  readonly user: User;
  /** Those of the wanted that the token is for. */
  readonly audiences: readonly string[];
}

interface TokenProblem {
  /** In upstream's words. */
  readonly problem: string;
}

const shortestSeconds = 600;
const longestSeconds = 2 ** 32;
const defaultSeconds = 3600;
/** What the volume plugin asks for (an hour and a bit): old clients do not reread the file, so upstream lets it live a year. */
const mountedSeconds = 3607;
const extendedSeconds = 365 * 24 * 3600;
/** Upstream's: what is being deleted may finish its work. */
const deletionLeewaySeconds = 60;
const bindable: Readonly<Record<string, string>> = { Pod: "pods", Secret: "secrets", Node: "nodes" };
const invalidated = { problem: "service account token has been invalidated" };

export function createServiceAccountTokens(options: {
  readonly signer: TokenSigner;
  readonly issuer: string;
  readonly store: ObjectStore;
  readonly clock: Pick<Clock, "now">;
}): ServiceAccountTokens {
  const { signer, issuer, store } = options;
  const nowSeconds = (): number => Math.floor(options.clock.now() / 1000);

  const bindingOf = (namespace: string, spec: TokenRequestSpec): Partial<KubernetesClaims> => {
    const bound = spec.boundObjectRef;
    if (bound === undefined) return {};
    const { kind = "", name = "", uid } = bound;
    const plural = own(bindable, kind);
    if (plural === undefined) {
      const group = (bound.apiVersion ?? "").includes("/") ? (bound.apiVersion ?? "").split("/")[0] : "";
      throw badRequest(
        `cannot bind token to object of type ${group}/${bound.apiVersion?.split("/").at(-1) ?? ""}, Kind=${kind}`,
      );
    }
    const stored = store.get({ resource: plural, namespace: kind === "Node" ? "" : namespace, name });
    if (stored === undefined) throw notFound({ group: "", name: plural }, name);
    const { metadata } = stored.object;
    if (uid !== undefined && uid !== "" && uid !== metadata?.uid) {
      const why = `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`;
      throw conflict({ group: "", name: plural }, name, why);
    }
    const claim = { name, uid: metadata?.uid ?? "" };
    if (kind === "Secret") return { secret: claim };
    if (kind === "Node") return { node: claim };
    const nodeName = (stored.object as Pod).spec?.nodeName;
    const node = nodeName === undefined ? undefined : store.get({ resource: "nodes", namespace: "", name: nodeName });
    if (node === undefined || nodeName === undefined) return { pod: claim };
    return { pod: claim, node: { name: nodeName, uid: node.object.metadata?.uid ?? "" } };
  };

  const isAlive = (resource: string, namespace: string, bound: BoundObject | undefined): boolean => {
    if (bound === undefined) return true;
    const metadata = store.get({ resource, namespace, name: bound.name })?.object.metadata;
    if (metadata?.uid !== bound.uid) return false;
    const { deletionTimestamp } = metadata;
    return (
      deletionTimestamp === undefined || nowSeconds() < Date.parse(deletionTimestamp) / 1000 + deletionLeewaySeconds
    );
  };

  /** A token without end, from a Secret that still has it. */
  const reviewOfSecret = (
    claims: SecretTokenClaims,
    token: string,
    wanted: readonly string[],
  ): TokenOwner | TokenProblem => {
    const { namespace, secret, account, uid } = secretClaims(claims);
    const audiences = wanted.length === 0 ? [issuer] : wanted.filter((one) => one === issuer);
    if (audiences.length === 0)
      return { problem: `token audiences ${goList([issuer])} is invalid for the target audiences ${goList(wanted)}` };
    const stored: Secret | undefined = store.get({ resource: "secrets", namespace, name: secret })?.object;
    const isSame = stored?.data?.["token"] === Buffer.from(token).toString("base64");
    if (!isSame || stored.metadata?.deletionTimestamp !== undefined) return invalidated;
    if (!isAlive("serviceaccounts", namespace, { name: account, uid })) return invalidated;
    return { user: { ...serviceAccountUser(namespace, account), uid }, audiences };
  };

  const review = (token: string, wanted: readonly string[]): TokenOwner | TokenProblem => {
    const verified = signer.verify(token);
    if (verified?.["iss"] === secretTokenIssuer) return reviewOfSecret(verified, token, wanted);
    const claims = verified as Partial<Claims> | undefined;
    const bound = claims?.["kubernetes.io"];
    if (claims === undefined || bound === undefined || claims.iss !== issuer) return { problem: "token lookup failed" };
    const audiences = (wanted.length === 0 ? [issuer] : wanted).filter((one) => claims.aud?.includes(one) === true);
    if (audiences.length === 0) {
      const asked = wanted.length === 0 ? [issuer] : wanted;
      return {
        problem: `token audiences ${goList(claims.aud ?? [])} is invalid for the target audiences ${goList(asked)}`,
      };
    }
    const now = nowSeconds();
    if (now >= (claims.exp ?? 0)) return { problem: "service account token has expired" };
    if (now < (claims.nbf ?? 0)) return { problem: "service account token is not valid yet" };
    const { namespace } = bound;
    const isWhole =
      isAlive("serviceaccounts", namespace, bound.serviceaccount) &&
      isAlive("pods", namespace, bound.pod) &&
      isAlive("secrets", namespace, bound.secret) &&
      // A pod's node is told for information; a token of the node alone ends with it.
      (bound.pod !== undefined || isAlive("nodes", "", bound.node));
    return isWhole ? { user: userOf(claims, bound), audiences } : invalidated;
  };

  return {
    issue: (account, request) => {
      const { name = "", namespace = "", uid = "" } = account.metadata ?? {};
      const spec = request.spec ?? {};
      const seconds = spec.expirationSeconds ?? defaultSeconds;
      const mistakes = expirationMistakes(seconds);
      if (mistakes.length > 0) {
        throw invalid({ group: "authentication.k8s.io", name: "TokenRequest" }, name, mistakes);
      }
      const wantedUid = request.metadata?.uid ?? "";
      if (wantedUid !== "" && wantedUid !== uid) {
        const why = `the UID in the token request (${wantedUid}) does not match the UID of the service account (${uid})`;
        throw conflict({ group: "", name: "serviceaccounts" }, name, why);
      }
      const audiences = spec.audiences === undefined || spec.audiences.length === 0 ? [issuer] : spec.audiences;
      const binding = bindingOf(namespace, spec);
      const now = nowSeconds();
      const isMounted = seconds === mountedSeconds && binding.pod !== undefined && audiences.includes(issuer);
      const claims: Claims = {
        aud: audiences,
        exp: now + (isMounted ? extendedSeconds : seconds),
        iat: now,
        nbf: now,
        iss: issuer,
        jti: randomUUID(),
        sub: `system:serviceaccount:${namespace}:${name}`,
        "kubernetes.io": {
          namespace,
          serviceaccount: { name, uid },
          ...binding,
          ...(isMounted ? { warnafter: now + seconds } : {}),
        },
      };
      const timestamp = (atSeconds: number): string => `${new Date(atSeconds * 1000).toISOString().slice(0, 19)}Z`;
      // The holder renews by what it asked for, however long the token lives.
      const expirationTimestamp = timestamp(now + seconds);
      return {
        kind: "TokenRequest",
        apiVersion: "authentication.k8s.io/v1",
        metadata: { name, namespace, creationTimestamp: timestamp(now) },
        spec: { ...spec, audiences, expirationSeconds: seconds },
        status: { token: signer.sign({ ...claims }), expirationTimestamp },
      };
    },
    review,
    authenticate: (token) => {
      const answer = review(token, []);
      return "user" in answer ? answer.user : undefined;
    },
  };
}

function expirationMistakes(seconds: number): readonly FieldError[] {
  const field = "spec.expirationSeconds";
  const wrong = (text: string): readonly FieldError[] => [
    { type: "FieldValueInvalid", field, body: `Invalid value: ${seconds}: ${text}` },
  ];
  if (seconds < shortestSeconds) return wrong("may not specify a duration less than 10 minutes");
  return seconds > longestSeconds ? wrong("may not specify a duration larger than 2^32 seconds") : [];
}
