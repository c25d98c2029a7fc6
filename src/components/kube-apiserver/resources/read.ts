/** Get and list. */
import type { ObjectKey } from "../../../api/object.ts";
import { badRequest, expired, invalid, notFound, timedOut } from "../../../api/status.ts";
import { StorageError } from "../../../storage/index.ts";
import type { Stored } from "../../../storage/index.ts";
import { storeKeyOf } from "./resource.ts";
import type { ServedResource } from "./resource.ts";
import { selectionOf } from "./selection.ts";
import type { SelectionOptions } from "./selection.ts";

export interface ListRequest extends SelectionOptions {
  /** 0 or absent: no limit. */
  readonly limit?: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: string;
}

export interface ListResult {
  readonly items: readonly Stored[];
  readonly revision: number;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

/** Throws `ApiError` 404. */
export function getObject(resource: ServedResource, key: ObjectKey): Stored {
  const stored = resource.environment.store.get(storeKeyOf(resource, key));
  if (stored === undefined) throw notFound(resource.resourceName, key.name);
  return stored;
}

/** Throws `ApiError`: 400 for options that cannot be read, 410 for a revision or token that history no longer holds. */
export function listObjects(resource: ServedResource, request: ListRequest): ListResult {
  const { store } = resource.environment;
  const selection = selectionOf(resource, request);
  const token = request.continue === undefined || request.continue === "" ? undefined : readToken(request.continue);
  const revision = token?.revision ?? exactRevision(request);
  const limit = request.limit ?? 0;
  if (limit < 0) throw badRequest("limit must not be negative");
  if (selection.name !== undefined && revision === undefined && selection.namespace !== undefined) {
    const one = store.get(storeKeyOf(resource, { namespace: selection.namespace, name: selection.name }));
    return { items: one !== undefined && selection.matches(one) ? [one] : [], revision: store.revision };
  }
  const list = readList(() =>
    store.list(resource.place, {
      ...(selection.namespace === undefined ? {} : { namespace: selection.namespace }),
      ...(revision === undefined ? {} : { revision }),
      ...(token === undefined ? {} : { after: token.after }),
    }),
  );
  const items = selection.isOpen ? list.items : list.items.filter((stored) => selection.matches(stored));
  if (limit === 0 || items.length <= limit) return { items, revision: list.revision };
  const page = items.slice(0, limit);
  return {
    items: page,
    revision: list.revision,
    continue: tokenOf(list.revision, page.at(-1)),
    ...(selection.isOpen ? { remainingItemCount: items.length - limit } : {}),
  };
}

/** Checks the combination as upstream does; undefined means the newest state, which is what any other wish allows. */
function exactRevision(request: ListRequest): number | undefined {
  const { resourceVersion = "", resourceVersionMatch = "" } = request;
  if (resourceVersionMatch !== "") {
    if (resourceVersion === "") throw refusal("resourceVersionMatch is forbidden unless resourceVersion is provided");
    if (resourceVersionMatch === "Exact" && resourceVersion === "0") {
      throw refusal('resourceVersionMatch "exact" is forbidden for resourceVersion "0"');
    }
  }
  if (resourceVersion === "") return undefined;
  const revision = revisionOf(resourceVersion);
  const isExact = resourceVersionMatch === "Exact" || (resourceVersionMatch === "" && (request.limit ?? 0) > 0);
  return isExact && revision !== 0 ? revision : undefined;
}

function refusal(why: string): Error {
  return invalid({ group: "meta.k8s.io", name: "ListOptions" }, "", [
    { type: "FieldValueForbidden", field: "resourceVersionMatch", body: `Forbidden: ${why}` },
  ]);
}

/** Throws `ApiError` 400. */
export function revisionOf(resourceVersion: string): number {
  if (!/^\d{1,15}$/.test(resourceVersion)) {
    throw badRequest(
      `invalid resource version "${resourceVersion}": strconv.ParseUint: parsing "${resourceVersion}": invalid syntax`,
    );
  }
  return Number(resourceVersion);
}

function readList<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    if (error.code === "Future") throw timedOut(error.message, 1);
    throw expired(
      "The provided continue parameter is too old to display a consistent list result. You must start a new list without the continue parameter.",
    );
  }
}

interface ContinueToken {
  readonly revision: number;
  readonly after: { readonly namespace: string; readonly name: string };
}

/** Upstream's form, though clients must not look inside. */
function tokenOf(revision: number, last: Stored | undefined): string {
  const start = `${last?.key.namespace ?? ""}/${last?.key.name ?? ""}`;
  return Buffer.from(JSON.stringify({ v: "meta.k8s.io/v1", rv: revision, start })).toString("base64url");
}

function readToken(text: string): ContinueToken {
  try {
    const { rv, start } = JSON.parse(Buffer.from(text, "base64url").toString()) as { rv?: unknown; start?: unknown };
    if (typeof rv === "number" && Number.isSafeInteger(rv) && typeof start === "string") {
      const slash = start.indexOf("/");
      return { revision: rv, after: { namespace: start.slice(0, slash), name: start.slice(slash + 1) } };
    }
  } catch {
    // Said below, for every kind of damage.
  }
  throw badRequest("continue key is not valid: it was not given out by this server");
}
