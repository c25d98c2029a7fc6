/** audit.k8s.io/v1 Event at the level Metadata: who did what to which object when, and how it ended; no bodies. */
import type { RequestInfo } from "../request-info.ts";
import type { User } from "../user.ts";

export interface AuditedRequest {
  readonly auditId: string;
  readonly info: Pick<
    RequestInfo,
    "isResource" | "verb" | "group" | "version" | "resource" | "subresource" | "namespace" | "name"
  >;
  /** With the query. */
  readonly uri: string;
  readonly receivedAtMs: number;
  readonly sourceIps: readonly string[];
  readonly userAgent: string;
  /** Undefined where authentication failed. */
  user?: User;
  /** Whom the user acted as. */
  impersonated?: User;
  /** Of a refusal. */
  refusal?: { readonly reason?: string; readonly message?: string };
  /** What admission has to say. */
  annotations?: Readonly<Record<string, string>>;
}

/** Upstream's stages of those that we write. */
export type AuditStage = "RequestReceived" | "ResponseComplete";

/** Pure. `code` is 0 for a request whose client went before it was answered. */
export function auditEvent(
  request: AuditedRequest,
  { stage, code, atMs }: { readonly stage: AuditStage; readonly code: number; readonly atMs: number },
): object {
  const { info, user, impersonated, refusal } = request;
  const isDenied = code === 401 || code === 403;
  return {
    kind: "Event",
    apiVersion: "audit.k8s.io/v1",
    level: "Metadata",
    auditID: request.auditId,
    stage,
    requestURI: request.uri,
    verb: info.verb,
    user: user === undefined ? {} : userInfo(user),
    ...(impersonated === undefined ? {} : { impersonatedUser: userInfo(impersonated) }),
    ...(request.sourceIps.length === 0 ? {} : { sourceIPs: request.sourceIps }),
    ...(request.userAgent === "" ? {} : { userAgent: request.userAgent }),
    ...(info.isResource ? { objectRef: objectRef(info) } : {}),
    ...(stage === "RequestReceived"
      ? {}
      : {
          responseStatus: {
            metadata: {},
            ...(refusal === undefined ? {} : { status: "Failure", ...refusal }),
            code,
          },
        }),
    requestReceivedTimestamp: microTime(request.receivedAtMs),
    stageTimestamp: microTime(atMs),
    ...(stage === "RequestReceived" || user === undefined
      ? {}
      : {
          annotations: {
            "authorization.k8s.io/decision": isDenied ? "forbid" : "allow",
            ...request.annotations,
          },
        }),
  };
}

function userInfo({ name, uid, groups, extra }: User): object {
  return {
    username: name,
    ...(uid === undefined ? {} : { uid }),
    groups,
    ...(extra === undefined ? {} : { extra }),
  };
}

function objectRef({ group, version, resource, subresource, namespace, name }: AuditedRequest["info"]): object {
  const parts = { resource, namespace, name, apiGroup: group, apiVersion: version, subresource };
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== ""));
}

/** metav1.MicroTime; our clock has milliseconds. */
const microTime = (ms: number): string => new Date(ms).toISOString().replace("Z", "000Z");
