/** A request for a resource on its way through the HTTP layer. */
import type { FieldValidation } from "../../../api/decode/index.ts";
import type { Clock } from "../../../machinery/clock.ts";
import type { Action } from "../actions/index.ts";
import type { RequestInfo } from "../request-info.ts";
import type { RequestContext } from "../resources/environment.ts";
import type { ServedResource } from "../resources/resource.ts";
import type { HttpRequest, HttpResponse } from "./exchange.ts";

export interface ResourceCall {
  readonly request: HttpRequest;
  readonly response: HttpResponse;
  readonly info: RequestInfo;
  readonly resource: ServedResource;
  readonly context: RequestContext;
  readonly validation: FieldValidation;
  readonly clock: Clock;
  readonly watches: OpenWatches;
  /** Throws `ApiError` 403 when the user may not create what the request names: a configuration may be the first of its name. */
  requireCreate(): void;
  actionOf(plural: string, subresource: string): Action | undefined;
}

/** Every open watch, for bookmarks and for the end of the server. */
export type OpenWatches = Set<OpenWatch>;

export interface OpenWatch {
  readonly info: RequestInfo;
  readonly resource: ServedResource;
  /** Tells the watcher how far it has seen. */
  bookmark(): void;
  end(): void;
}
