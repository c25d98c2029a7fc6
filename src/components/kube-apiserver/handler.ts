/** The way of every request: who, what, may they, then the one who serves it. */
import { own } from "../../lib/own/index.ts";
import { STATUS_CODES } from "node:http";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Registry } from "../../api/registry/index.ts";
import { badRequest, methodNotAllowed, resourceNotServed } from "../../api/status.ts";
import type { Clock } from "../../machinery/clock.ts";
import type { Logger } from "../../machinery/log.ts";
import type { Action } from "./actions/index.ts";
import type { Authenticate } from "./authentication/authenticator.ts";
import { type AuditedRequest, type AuditTrail, originOf } from "./audit/index.ts";
import { impersonate } from "./authentication/impersonation.ts";
import { authorize, selectedName } from "./authorization/index.ts";
import type { Attributes, Authorizer } from "./authorization/index.ts";
import type { DiscoveryAnswer } from "./discovery.ts";
import { pageNotFound, send, statusAnswer, statusOf } from "./http/exchange.ts";
import type { Answer, HttpRequest, HttpResponse } from "./http/exchange.ts";
import { serveResource } from "./http/resource-handler.ts";
import type { OpenWatches } from "./http/resource-call.ts";
import { writeOptionsOf } from "./http/query.ts";
import { requestInfoOf } from "./request-info.ts";
import type { RequestInfo } from "./request-info.ts";
import { fieldManagerOf } from "./resources/field-manager.ts";
import type { ServedResource } from "./resources/resource.ts";
import type { Review } from "./reviews/index.ts";
import { serveReview } from "./http/serve-review.ts";
import type { Backends } from "./streams/backends.ts";
import { serveStream, serveUpgrade } from "./streams/serve-stream.ts";
import type { User } from "./user.ts";

/** Serves a path that is no resource; undefined: not mine. */
export type PathHandler = (info: RequestInfo, request: HttpRequest) => Answer | Promise<Answer> | undefined;

export interface HandlerOptions {
  readonly registry: Registry;
  readonly authenticate: Authenticate;
  readonly authorizer: Authorizer;
  readonly discovery: (path: string, accept: string | undefined) => DiscoveryAnswer | undefined;
  readonly paths: PathHandler;
  resourceOf(group: string, version: string, plural: string): ServedResource | undefined;
  readonly watches: OpenWatches;
  readonly backends: Backends;
  actionOf(plural: string, subresource: string): Action | undefined;
  reviewOf(group: string, plural: string): Review | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** Undefined: nobody asked for an audit log. */
  readonly audit?: AuditTrail;
  /** Called once per request, at its end. */
  readonly observe: (info: RequestInfo, code: number, durationMs: number) => void;
}

export function createHandler(options: HandlerOptions): (request: HttpRequest, response: HttpResponse) => void {
  return (request, response) => {
    const started = performance.now();
    const info = requestInfoOf(request.method ?? "GET", request.url ?? "/");
    const warnings: string[] = [];
    const audited = options.audit?.begin(info, originOf(request));
    if (audited !== undefined) response.setHeader("audit-id", audited.auditId);
    response.on("error", () => undefined);
    response.on("close", () => {
      options.observe(info, response.statusCode, performance.now() - started);
      if (audited !== undefined) options.audit?.completed(audited, response.statusCode);
    });
    serve(options, { request, response, info, warnings, audited }).catch((error: unknown) => {
      noteRefusal(audited, error);
      const answer = statusAnswer(error, warnings);
      if (answer.code >= 500) options.log.error("Request failed", { verb: info.verb, path: info.path, error });
      send(request, response, answer).catch((reason: unknown) => {
        options.log.debug("Answer was not sent", { path: info.path, error: reason });
      });
    });
  };
}

interface Exchange {
  readonly request: HttpRequest;
  readonly response: HttpResponse;
  readonly info: RequestInfo;
  readonly warnings: string[];
  readonly audited: AuditedRequest | undefined;
}

function noteRefusal(audited: AuditedRequest | undefined, error: unknown): void {
  if (audited === undefined) return;
  const { reason, message } = statusOf(error);
  audited.refusal = { ...(reason === undefined ? {} : { reason }), ...(message === undefined ? {} : { message }) };
}

async function serve(options: HandlerOptions, exchange: Exchange): Promise<void> {
  const { request, response, info, warnings, audited } = exchange;
  const user = admit(options, { request, info, audited });
  if (!info.isResource) {
    await send(request, response, await pathAnswer(options, exchange));
    return;
  }
  const resource = resourceOf(options, info);
  if (isStream(resource, info)) {
    const { backends } = options;
    await serveStream({ info, resource, backends }, request, response);
    return;
  }
  const { isDryRun, fieldManager: wanted, validation } = writeOptionsOf(info);
  const review = options.reviewOf(info.group, info.resource);
  if (review !== undefined && info.verb === "create" && info.name === "") {
    await serveReview({ request, response, info, resource, review, user, validation, warnings });
    return;
  }
  if (resource.definition.deprecationWarning !== undefined) warnings.push(resource.definition.deprecationWarning);
  const userAgent = request.headers["user-agent"] ?? "unknown";
  const annotations: Record<string, string> = {};
  if (audited !== undefined) audited.annotations = annotations;
  const context = { user, isDryRun, fieldManager: fieldManagerOf(user, { wanted, userAgent }), warnings, annotations };
  const { clock, watches } = options;
  const actionOf = (plural: string, subresource: string): Action | undefined => options.actionOf(plural, subresource);
  const requireCreate = (): void => authorize(options.authorizer, user, attributesOf({ ...info, verb: "create" }));
  await serveResource({
    request,
    response,
    info,
    resource,
    context,
    validation,
    clock,
    watches,
    requireCreate,
    actionOf,
  });
}

function resourceOf(options: HandlerOptions, info: RequestInfo): ServedResource {
  const resource = options.resourceOf(info.group, info.version, info.resource);
  if (resource === undefined) throw resourceNotServed();
  return resource;
}

/** Does the subresource belong to the kubelet or to something behind a proxy? Throws `ApiError` 405 for a wrong verb. */
function isStream(resource: ServedResource, info: RequestInfo): boolean {
  const { subresources } = resource.definition;
  const subresource = own(subresources, info.subresource);
  if (subresource?.style !== "stream") return false;
  const verbs: readonly string[] = subresource.verbs;
  // A proxy passes on what the API itself has no use for.
  const isOfBackend = info.subresource === "proxy" && info.verb === "options";
  if (!isOfBackend && !verbs.includes(info.verb)) throw methodNotAllowed();
  return true;
}

/** The same way for requests that change the protocol; only streams do. */
export function createUpgradeHandler(
  options: HandlerOptions,
): (request: IncomingMessage, socket: Duplex, head: Buffer) => void {
  return (request, socket, head) => {
    const started = performance.now();
    const info = requestInfoOf(request.method ?? "GET", request.url ?? "/");
    socket.on("error", () => socket.destroy());
    const audited = options.audit?.begin(info, originOf(request));
    const end = (code: number): void => {
      options.observe(info, code, performance.now() - started);
      if (audited !== undefined) options.audit?.completed(audited, code);
    };
    const serveIt = async (): Promise<void> => {
      admit(options, { request, info, audited });
      if (!info.isResource) throw resourceNotServed();
      const resource = resourceOf(options, info);
      if (!isStream(resource, info)) throw badRequest("the request does not support an upgrade");
      await serveUpgrade({ info, resource, backends: options.backends }, { request, socket, head });
      end(101);
    };
    serveIt().catch((error: unknown) => {
      const { code, body } = statusAnswer(error);
      noteRefusal(audited, error);
      end(code);
      const reason = STATUS_CODES[code] ?? "Error";
      const lines = `HTTP/1.1 ${code} ${reason}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close`;
      socket.end(`${lines}\r\n\r\n${body.toString()}`);
    });
  };
}

function attributesOf(info: RequestInfo): Attributes {
  if (!info.isResource) return { verb: info.verb, path: info.path };
  const { group, resource, subresource, namespace, verb } = info;
  const fieldSelector = info.query.get("fieldSelector");
  const name = info.name === "" ? selectedName(verb, fieldSelector ?? undefined) : info.name;
  return {
    verb,
    resource: {
      group,
      resource,
      subresource,
      namespace,
      name,
      ...(fieldSelector === null ? {} : { fieldSelector }),
    },
  };
}

/** Who asks, with the rights of whom they act as. Throws `ApiError` 401 and 403. */
function admit(
  { authenticate, authorizer, audit }: HandlerOptions,
  { request, info, audited }: Pick<Exchange, "request" | "info" | "audited">,
): User {
  const asking = authenticate(request);
  if (audited !== undefined) audited.user = asking;
  const user = impersonate(authorizer, asking, request);
  if (audited !== undefined && user !== asking) audited.impersonated = user;
  authorize(authorizer, user, attributesOf(info));
  if (audited !== undefined) audit?.received(audited);
  return user;
}

async function pathAnswer(options: HandlerOptions, { request, info }: Exchange): Promise<Answer> {
  const isRead = request.method === "GET" || request.method === "HEAD";
  const served = options.paths(info, request);
  if (served !== undefined) {
    if (!isRead) throw methodNotAllowed();
    return served;
  }
  if (/^\/apis?(\/|$)/.test(info.path)) {
    if (!isRead) throw methodNotAllowed();
    const answer = options.discovery(info.path, request.headers.accept);
    const isKnown = answer?.headers !== undefined && request.headers["if-none-match"] === answer.headers["etag"];
    if (answer !== undefined) return isKnown ? { ...answer, code: 304, body: "" } : { code: 200, ...answer };
  }
  return pageNotFound;
}
