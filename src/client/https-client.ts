/** The API client that components use: HTTPS with the identity of a kubeconfig. */
import type { Status } from "../api/generated/types.ts";
import { keyOf } from "../api/object.ts";
import type { KubernetesObject, ObjectList, Resource, WatchEvent } from "../api/object.ts";
import { ApiError } from "../api/status.ts";
import type { Kubeconfig } from "../machinery/kubeconfig/index.ts";
import type { ApiClient, ListOptions, Patch, WatchOptions } from "./api-client.ts";
import { apiPath, listParameters, queryOf } from "./api-path.ts";
import { createHttp2Connection, unreachable } from "./http2-connection.ts";
import type { Http2Connection, Request, Response } from "./http2-connection.ts";

export interface HttpsApiClient extends ApiClient {
  /** Cuts the connection; requests under way reject, watches throw `ConnectionError`. */
  close(): void;
}

const patchTypes: Readonly<Record<Patch["type"], string>> = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml",
};

/** Who writes, unless a request says otherwise: the name in `managedFields`. */
const defaultFieldManager = "netloom";

/** One connection carries all requests and watches; it is opened with the first of them, and again when it broke. */
export function createHttpsClient(kubeconfig: Kubeconfig): HttpsApiClient {
  const connection = createHttp2Connection(kubeconfig);
  const { server } = kubeconfig;

  const exchange = async <T>(request: Request): Promise<T> => {
    const response = await connection.request(request);
    const text = await textOf(server, response);
    if (response.code >= 400) throw apiErrorOf(response.code, text);
    return (text === "" ? {} : JSON.parse(text)) as T;
  };

  const write = <T>(method: string, path: string, request: Omit<Request, "method" | "path">): Promise<T> =>
    exchange<T>({ contentType: "application/json", ...request, method, path });

  return {
    get: (resource, key, { subresource, signal } = {}) =>
      exchange({ method: "GET", path: apiPath(resource, { ...key, subresource }), signal }),
    list: <T extends KubernetesObject>(resource: Resource<T>, options: ListOptions = {}) => {
      const path = apiPath(resource, { namespace: options.namespace }) + queryOf(listParameters(options));
      return exchange<ObjectList<T>>({ method: "GET", path });
    },
    watch: (resource, options) => watch({ connection, server }, resource, options),
    create: (resource, object, { fieldManager, signal } = {}) => {
      const path = apiPath(resource, { namespace: object.metadata?.namespace ?? "default" }) + managedBy(fieldManager);
      return write("POST", path, { body: JSON.stringify(object), signal });
    },
    createSubresource: (resource, key, subresource, body) =>
      write("POST", apiPath(resource, { ...key, subresource }), { body: JSON.stringify(body) }),
    update: (resource, object, { subresource, fieldManager, signal } = {}) => {
      const path = apiPath(resource, { ...keyOf(object), subresource }) + managedBy(fieldManager);
      return write("PUT", path, { body: JSON.stringify(object), signal });
    },
    patch: (resource, key, patch, { subresource, fieldManager, signal } = {}) => {
      const more = patch.type === "apply" ? { force: true } : {};
      const path = apiPath(resource, { ...key, subresource }) + managedBy(fieldManager, more);
      return write("PATCH", path, { body: JSON.stringify(patch.body), contentType: patchTypes[patch.type], signal });
    },
    delete: async (resource, key, options = {}) => {
      await write("DELETE", apiPath(resource, key), { body: JSON.stringify(options) });
    },
    close: () => connection.close(),
  };
}

/** Without a name the server records who we are; only apply wants one in any case. */
function managedBy(wanted: string | undefined, more: { readonly force?: boolean } = {}): string {
  const fieldManager = wanted ?? (more.force === true ? defaultFieldManager : undefined);
  return queryOf({ fieldManager, ...more });
}

async function* watch<T extends KubernetesObject>(
  { connection, server }: { readonly connection: Http2Connection; readonly server: string },
  resource: Resource<T>,
  options: WatchOptions,
): AsyncGenerator<WatchEvent<T>> {
  const { signal, allowWatchBookmarks, timeoutSeconds, namespace } = options;
  if (signal.aborted) return;
  const query = queryOf({ watch: true, ...listParameters(options), allowWatchBookmarks, timeoutSeconds });
  let response: Response;
  try {
    response = await connection.request({ method: "GET", path: apiPath(resource, { namespace }) + query, signal });
  } catch (error) {
    if (signal.aborted) return;
    throw error;
  }
  if (response.code >= 400) {
    const error = apiErrorOf(response.code, await textOf(server, response));
    // A watch that comes too late hears of it as an event, wherever the server noticed.
    if (error.code !== 410) throw error;
    yield { type: "ERROR", object: error.status };
    return;
  }
  const { body } = response;
  try {
    for await (const line of linesOf(body)) yield JSON.parse(line) as WatchEvent<T>;
  } catch (error) {
    if (!signal.aborted) throw error instanceof SyntaxError ? error : unreachable(server, error as Error);
  } finally {
    body.cancel();
  }
}

/** Splits at line ends without looking at a byte twice. */
async function* linesOf(stream: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  for await (const chunk of stream) {
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      parts.push(chunk.subarray(start, end));
      yield Buffer.concat(parts).toString();
      parts = [];
      start = end + 1;
    }
    if (start < chunk.length) parts.push(chunk.subarray(start));
  }
}

async function textOf(server: string, response: Response): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of response.body) chunks.push(chunk);
  } catch (error) {
    throw unreachable(server, error as Error);
  }
  return Buffer.concat(chunks).toString();
}

/** The server's Status, or one made from what a proxy in between said. */
function apiErrorOf(code: number, text: string): ApiError {
  try {
    const status = JSON.parse(text) as Status;
    if (status.kind === "Status") return new ApiError({ code, ...status });
  } catch {
    // Not ours: told below.
  }
  return new ApiError({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    code,
    message: text.trim(),
  });
}
