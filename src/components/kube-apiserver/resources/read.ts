/** Get and list. */
import type { ObjectKey } from "../../../api/object.ts";
import { forbiddenValue, unsupportedValue } from "../../../api/field-error.ts";
import type { FieldError } from "../../../api/field-error.ts";
import { quoted } from "../../../api/go-text.ts";
import { badRequest, expired, invalid, notFound, timedOut, tooLargeVersion } from "../../../api/status.ts";
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
  /** Only watches may have it. */
  readonly sendInitialEvents?: string;
}

export interface ListResult {
  readonly items: readonly Stored[];
  readonly revision: number;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

/** Throws `ApiError` 404, and 504 for a version that is not reached yet. */
export function getObject(resource: ServedResource, key: ObjectKey, resourceVersion = ""): Stored {
  const wanted = resourceVersion === "" ? 0 : revisionOf(resourceVersion);
  const { revision } = resource.environment.store;
  if (wanted > revision) throw tooLargeVersion(wanted, revision);
  const stored = resource.environment.store.get(storeKeyOf(resource, key));
  if (stored === undefined) throw notFound(resource.resourceName, key.name);
  return stored;
}

/** Throws `ApiError`: 400 for options that cannot be read, 410 for a revision or token that history no longer holds. */
export function listObjects(resource: ServedResource, request: ListRequest): ListResult {
  const { store } = resource.environment;
  const selection = selectionOf(resource, request);
  const token = request.continue === undefined || request.continue === "" ? undefined : readToken(request.continue);
  checkVersions(resource, request);
  const revision = token === undefined ? exactRevision(request) : consistentRevision(token);
  // As upstream: who is content with any state gets it whole, in one answer.
  const isAnyState = request.resourceVersion === "0" && token === undefined;
  const limit = isAnyState ? 0 : Math.max(request.limit ?? 0, 0);
  if (selection.name !== undefined && revision === undefined && selection.namespace !== undefined) {
    const one = store.get(storeKeyOf(resource, { namespace: selection.namespace, name: selection.name }));
    return { items: one !== undefined && selection.matches(one) ? [one] : [], revision: store.revision };
  }
  const list = readList(token, () =>
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
    continue: tokenOf(list.revision, page.at(-1)?.key ?? { namespace: "", name: "" }),
    ...(selection.isOpen ? { remainingItemCount: items.length - limit } : {}),
  };
}

/** Throws `ApiError` 422 for combinations that upstream forbids, 504 for a version that is not reached yet. */
function checkVersions({ environment }: ServedResource, request: ListRequest): void {
  const { resourceVersion = "", resourceVersionMatch = "" } = request;
  const isContinued = (request.continue ?? "") !== "";
  const mistakes: FieldError[] = [];
  if (resourceVersionMatch !== "") {
    const forbid = (why: string): void => void mistakes.push(forbiddenValue("resourceVersionMatch", why));
    if (resourceVersion === "") forbid("resourceVersionMatch is forbidden unless resourceVersion is provided");
    if (isContinued) forbid("resourceVersionMatch is forbidden when continue is provided");
    if (resourceVersionMatch !== "Exact" && resourceVersionMatch !== "NotOlderThan") {
      mistakes.push(unsupportedValue("resourceVersionMatch", resourceVersionMatch, ["Exact", "NotOlderThan", ""]));
    }
    if (resourceVersionMatch === "Exact" && resourceVersion === "0") {
      forbid('resourceVersionMatch "exact" is forbidden for resourceVersion "0"');
    }
  }
  if (request.sendInitialEvents !== undefined) {
    mistakes.push(forbiddenValue("sendInitialEvents", "sendInitialEvents is forbidden for list"));
  }
  if (mistakes.length > 0) throw invalid({ group: "meta.k8s.io", name: "ListOptions" }, "", mistakes);
  if (resourceVersion === "") return;
  const revision = revisionOf(resourceVersion);
  if (isContinued && revision !== 0) {
    throw badRequest("specifying resource version is not allowed when using continue");
  }
  const { revision: current } = environment.store;
  if (revision > current) throw tooLargeVersion(revision, current);
}

/** Undefined means the newest state, which is what any wish but an exact one allows. */
function exactRevision({
  resourceVersion = "",
  resourceVersionMatch = "",
  limit = 0,
}: ListRequest): number | undefined {
  if (resourceVersion === "") return undefined;
  const revision = revisionOf(resourceVersion);
  const isExact = resourceVersionMatch === "Exact" || (resourceVersionMatch === "" && limit > 0);
  return isExact && revision !== 0 ? revision : undefined;
}

/** Throws `ApiError` 400. */
export function revisionOf(resourceVersion: string): number {
  if (!/^\d{1,15}$/.test(resourceVersion)) {
    const why = `strconv.ParseUint: parsing ${quoted(resourceVersion)}: invalid syntax`;
    throw badRequest(`invalid resource version: resourceVersion: Invalid value: ${quoted(resourceVersion)}: ${why}`);
  }
  return Number(resourceVersion);
}

const tooOldToContinue =
  "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.";

function readList<T>(token: ContinueToken | undefined, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    if (error.code === "Future") throw timedOut(error.message, 1);
    if (token === undefined) throw expired("The resourceVersion for the provided list is too old.");
    throw expired(tooOldToContinue, tokenOf(anyRevision, token.after));
  }
}

interface ContinueToken {
  readonly revision: number;
  readonly after: { readonly namespace: string; readonly name: string };
}

/** In a token: go on in whatever is the newest state. */
const anyRevision = -1;

function consistentRevision({ revision }: ContinueToken): number | undefined {
  return revision === anyRevision ? undefined : revision;
}

/** Upstream's form, though clients must not look inside. */
function tokenOf(revision: number, { namespace, name }: ContinueToken["after"]): string {
  const start = `${namespace}/${name}`;
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
  throw badRequest("invalid continue token: continue key is not valid: it was not given out by this server");
}
