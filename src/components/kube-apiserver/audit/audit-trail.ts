/** Follows requests from their coming to their end, and writes a line for each. */
import { randomUUID } from "node:crypto";
import type { Clock } from "../../../machinery/clock.ts";
import type { HttpRequest } from "../http/exchange.ts";
import type { RequestInfo } from "../request-info.ts";
import { auditEvent, type AuditedRequest } from "./audit-event.ts";

export interface AuditTrail {
  /** `stays`: the request goes on for long (a watch, an exec); then its beginning is a line of its own. */
  begin(
    info: AuditedRequest["info"],
    from: Pick<AuditedRequest, "uri"> & Partial<Pick<AuditedRequest, "sourceIps" | "userAgent">>,
  ): AuditedRequest;
  /** Once the user is known. */
  received(request: AuditedRequest): void;
  completed(request: AuditedRequest, code: number): void;
}

/** @param write - Takes one line of JSON, without the line feed. */
export function createAuditTrail({
  write,
  clock,
}: {
  readonly write: (line: string) => void;
  readonly clock: Clock;
}): AuditTrail {
  const say = (request: AuditedRequest, stage: Parameters<typeof auditEvent>[1]["stage"], code: number): void =>
    write(JSON.stringify(auditEvent(request, { stage, code, atMs: clock.now() })));
  return {
    begin: (info, { uri, sourceIps = [], userAgent = "" }) => ({
      auditId: randomUUID(),
      info,
      uri,
      receivedAtMs: clock.now(),
      sourceIps,
      userAgent,
    }),
    received: (request) => {
      if (isLong(request.info)) say(request, "RequestReceived", 0);
    },
    completed: (request, code) => say(request, "ResponseComplete", code),
  };
}

const longSubresources = new Set(["exec", "attach", "portforward", "proxy", "log"]);

/** Those may end in hours: that they began is worth a line. */
const isLong = ({ verb, subresource }: Pick<RequestInfo, "verb" | "subresource">): boolean =>
  verb === "watch" || longSubresources.has(subresource);

/** Where a request over the network came from. */
export function originOf(request: HttpRequest): Pick<AuditedRequest, "uri" | "sourceIps" | "userAgent"> {
  const address = request.socket.remoteAddress;
  return {
    uri: request.url ?? "/",
    sourceIps: address === undefined ? [] : [address.replace(/^::ffff:/, "")],
    userAgent: request.headers["user-agent"] ?? "",
  };
}
