/** Who may call this kubelet: asked of the API server, as upstream's kubelet does, and remembered for a while. */
import type { IncomingMessage } from "node:http";
import { TLSSocket } from "node:tls";
import { reviews } from "../../../api/resources.ts";
import type { ApiClient } from "../../../client/api-client.ts";
import type { Clock } from "../../../machinery/clock.ts";
import type { Logger } from "../../../machinery/log.ts";
import { HttpError } from "./http-error.ts";

export interface Access {
  /** Resolves where the caller may; throws `HttpError` 401, 403 or, where nobody can say, 500. */
  check(request: IncomingMessage): Promise<void>;
}

interface Caller {
  readonly name: string;
  readonly groups: readonly string[];
  readonly uid?: string;
}

/** Upstream's, in milliseconds. */
const rememberMs = { caller: 120_000, allowed: 300_000, refused: 30_000 };
/** Beyond this the oldest is forgotten: callers choose tokens and paths. */
const mostRemembered = 1000;

export function createAccess(options: {
  readonly client: Pick<ApiClient, "create">;
  readonly nodeName: string;
  readonly clock: Pick<Clock, "now">;
  readonly log: Logger;
}): Access {
  const { client, nodeName, clock, log } = options;
  const callers = memory<Caller | undefined>(clock);
  const verdicts = memory<boolean>(clock);

  const ofToken = async (token: string): Promise<Caller | undefined> => {
    const known = callers.get(token);
    if (known !== undefined) return known.value;
    const { status } = await client.create(reviews.tokenReviews, { spec: { token } });
    const { username: name, groups = [], uid } = status?.user ?? {};
    const isKnown = status?.authenticated === true && name !== undefined;
    const caller = isKnown ? { name, groups, ...(uid === undefined ? {} : { uid }) } : undefined;
    callers.set(token, caller, isKnown ? rememberMs.caller : rememberMs.refused);
    return caller;
  };

  const callerOf = async (request: IncomingMessage): Promise<Caller | undefined> => {
    const ofCertificate = certificateCaller(request.socket);
    if (ofCertificate !== undefined) return ofCertificate;
    const [, token] = /^bearer\s+(\S+)\s*$/i.exec(request.headers.authorization ?? "") ?? [];
    return token === undefined ? undefined : await ofToken(token);
  };

  const may = async (caller: Caller, verb: string, subresource: string): Promise<boolean> => {
    const question = JSON.stringify([caller, verb, subresource]);
    const known = verdicts.get(question);
    if (known !== undefined) return known.value;
    const { name: user, groups, uid } = caller;
    const resourceAttributes = { verb, version: "v1", resource: "nodes", subresource, name: nodeName };
    const spec = { user, groups, ...(uid === undefined ? {} : { uid }), resourceAttributes };
    const { status } = await client.create(reviews.subjectAccessReviews, { spec });
    const isAllowed = status?.allowed === true;
    verdicts.set(question, isAllowed, isAllowed ? rememberMs.allowed : rememberMs.refused);
    return isAllowed;
  };

  const decide = async (request: IncomingMessage): Promise<HttpError | undefined> => {
    const caller = await callerOf(request);
    if (caller === undefined) return new HttpError(401, "Unauthorized");
    const verb = verbs.get(request.method ?? "") ?? "";
    const subresources = subresourcesOf(request.url ?? "/");
    for (const subresource of subresources) if (await may(caller, verb, subresource)) return undefined;
    const what = `resource=nodes, subresource(s)=[${subresources.join(" ")}]`;
    return new HttpError(403, `Forbidden (user=${caller.name}, verb=${verb}, ${what})`);
  };

  return {
    check: async (request) => {
      let refusal: HttpError | undefined;
      try {
        refusal = await decide(request);
      } catch (error) {
        log.warn("cannot ask who may call the kubelet", { error });
        throw new HttpError(500, "Authorization error: the API server cannot be asked");
      }
      if (refusal !== undefined) throw refusal;
    },
  };
}

const verbs: ReadonlyMap<string, string> = new Map([
  ["GET", "get"],
  ["HEAD", "get"],
  ["POST", "create"],
  ["PUT", "update"],
  ["PATCH", "patch"],
  ["DELETE", "delete"],
]);

/** Any one of them is enough; `proxy` stands for the whole kubelet. */
function subresourcesOf(url: string): readonly string[] {
  const [, first = ""] = url.split(/[/?]/);
  switch (first) {
    case "stats":
    case "metrics":
      return [first];
    case "logs":
      return ["log"];
    case "healthz":
      return ["healthz", "proxy"];
    case "pods":
    case "runningpods":
      return ["pods", "proxy"];
    default:
      return ["proxy"];
  }
}

/** Kubernetes' rule: the common name is the user, each organization a group. */
function certificateCaller(socket: unknown): Caller | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  const { subject } = socket.getPeerCertificate(false) as { readonly subject?: Readonly<Record<string, unknown>> };
  const values = (attribute: unknown): readonly string[] =>
    (Array.isArray(attribute) ? (attribute as readonly unknown[]) : [attribute]).filter(
      (value) => typeof value === "string",
    );
  const [name] = values(subject?.["CN"]);
  return name === undefined ? undefined : { name, groups: [...values(subject?.["O"]), "system:authenticated"] };
}

interface Memory<T> {
  get(key: string): { readonly value: T } | undefined;
  set(key: string, value: T, forMs: number): void;
}

function memory<T>(clock: Pick<Clock, "now">): Memory<T> {
  const entries = new Map<string, { readonly value: T; readonly fromMs: number; readonly untilMs: number }>();
  return {
    get: (key) => {
      const entry = entries.get(key);
      const now = clock.now();
      // What was learnt in the future was learnt before the clock was set back.
      return entry !== undefined && entry.fromMs <= now && now < entry.untilMs ? entry : undefined;
    },
    set: (key, value, forMs) => {
      entries.delete(key);
      const fromMs = clock.now();
      entries.set(key, { value, fromMs, untilMs: fromMs + forMs });
      const [oldest] = entries.keys();
      if (entries.size > mostRemembered && oldest !== undefined) entries.delete(oldest);
    },
  };
}
