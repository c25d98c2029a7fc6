/** Serves the subresources that belong to others: the kubelet's streams, and the proxies. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Pod } from "../../../api/generated/types.ts";
import { badRequest } from "../../../api/status.ts";
import { hostPort } from "../../../lib/ip/index.ts";
import { isGone, send } from "../http/exchange.ts";
import type { HttpRequest, HttpResponse } from "../http/exchange.ts";
import type { RequestInfo } from "../request-info.ts";
import { getObject } from "../resources/read.ts";
import type { ServedResource } from "../resources/resource.ts";
import type { Backends } from "./backends.ts";
import { forward } from "./forward.ts";
import { kubeletLocation } from "./location.ts";
import { serveLogSocket } from "./log-socket.ts";
import { nodeTarget, podTarget, serviceTarget } from "./proxy-target.ts";
import { tunnel } from "./tunnel.ts";

export interface StreamCall {
  readonly info: RequestInfo;
  readonly resource: ServedResource;
  readonly backends: Backends;
}

interface Target {
  readonly connection: Duplex;
  readonly path: string;
  readonly host: string;
}

const upgradesOnly = new Set(["exec", "attach", "portforward"]);

/** Throws `ApiError`. */
export async function serveStream(call: StreamCall, request: HttpRequest, response: HttpResponse): Promise<void> {
  const { info } = call;
  if (upgradesOnly.has(info.subresource)) throw badRequest("Upgrade request required");
  if (info.subresource === "proxy" && info.rest === "" && info.verb === "get") {
    // Relative links of what is behind need the slash; other methods would lose their body on the way.
    const location = `${info.path}/${info.query.size === 0 ? "" : `?${info.query.toString()}`}`;
    await send(request, response, { code: 301, body: "", headers: { location } });
    return;
  }
  const target = await open(call);
  if (isGone(response)) {
    target.connection.destroy();
    return;
  }
  const prefix = info.path.slice(0, info.path.length - info.rest.length);
  const proxied = { prefix, host: target.host };
  await forward(request, response, info.subresource === "proxy" ? { ...target, proxied } : target);
}

/** Throws `ApiError` before anything was sent to `socket`. */
export async function serveUpgrade(
  call: StreamCall,
  upgrade: { readonly request: IncomingMessage; readonly socket: Duplex; readonly head: Buffer },
): Promise<void> {
  const target = await open(call);
  if (upgrade.socket.destroyed) {
    target.connection.destroy();
    return;
  }
  if (call.info.subresource === "log") await serveLogSocket(upgrade, target);
  else tunnel(upgrade, target);
}

async function open({ info, resource, backends }: StreamCall): Promise<Target> {
  const { store } = resource.environment;
  const key = { namespace: info.namespace, name: info.name };
  if (info.subresource !== "proxy") {
    const pod: Pod = getObject(resource, key).object;
    const { node, path } = kubeletLocation(pod, info.subresource, info.query);
    return { connection: await backends.kubelet(node), path, host: node };
  }
  const query = info.query.size === 0 ? "" : `?${info.query.toString()}`;
  const path = `${info.rest === "" ? "/" : info.rest}${query}`;
  if (resource.definition.plural === "nodes") {
    const target = nodeTarget(store, info);
    if (target.kind === "kubelet") return { connection: await backends.kubelet(target.node), path, host: target.node };
    return { connection: await backends.cluster(target), path, host: hostPort(target.host, target.port) };
  }
  const target = resource.definition.plural === "services" ? serviceTarget(store, info) : podTarget(store, info);
  return { connection: await backends.cluster(target), path, host: `${target.host}:${target.port}` };
}
