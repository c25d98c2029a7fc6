/** Options in a request's query. */
import { forbiddenValue, invalidValue, requiredValue, tooLong, unsupportedValue } from "../../../api/field-error.ts";
import type { FieldError } from "../../../api/field-error.ts";
import { badRequest, invalid } from "../../../api/status.ts";
import { isTrue } from "../request-info.ts";
import type { RequestInfo } from "../request-info.ts";
import type { ListRequest } from "../resources/read.ts";

/** What a list, a watch and a deletion of a collection have in common in their query. */
export function listRequestOf({ query, namespace, name }: RequestInfo): ListRequest {
  const text = <Name extends string>(parameter: Name): { readonly [key in Name]?: string } => {
    const value = query.get(parameter);
    return (value === null || value === "" ? {} : { [parameter]: value }) as { readonly [key in Name]?: string };
  };
  const limit = query.get("limit");
  const fieldSelector = [query.get("fieldSelector") ?? "", name === "" ? "" : `metadata.name=${name}`];
  return {
    namespace,
    ...text("labelSelector"),
    fieldSelector: fieldSelector.filter((part) => part !== "").join(","),
    ...text("continue"),
    ...text("resourceVersion"),
    ...text("resourceVersionMatch"),
    ...text("sendInitialEvents"),
    ...(limit === null || limit === "" ? {} : { limit: numberOf("limit", limit) }),
  };
}

/** Throws `ApiError` 400 in Go's words. */
export function numberOf(parameter: string, text: string): number {
  if (/^-?\d{1,15}$/.test(text)) return Number(text);
  throw badRequest(
    `strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax (query parameter "${parameter}")`,
  );
}

export interface WriteOptions {
  readonly isDryRun: boolean;
  /** "" where the request names none. */
  readonly fieldManager: string;
}

const noWishes: WriteOptions = { isDryRun: false, fieldManager: "" };

/** What requests that write have in common in their query. Throws `ApiError` 422 in upstream's words. */
export function writeOptionsOf(query: URLSearchParams): WriteOptions {
  if (query.size === 0) return noWishes;
  const dryRun = query.getAll("dryRun").filter((mode) => mode !== "");
  const fieldManager = query.get("fieldManager") ?? "";
  const mistakes: FieldError[] = [];
  if (dryRun.some((mode) => mode !== "All")) mistakes.push(unsupportedValue("dryRun", dryRun[0] ?? "", ["All"]));
  if (fieldManager.length > longestManager) mistakes.push(tooLong("fieldManager", longestManager));
  if (/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(fieldManager)) {
    mistakes.push(invalidValue("fieldManager", fieldManager, "should only contain printable characters"));
  }
  if (mistakes.length > 0) throw invalid({ group: "meta.k8s.io", name: "PatchOptions" }, "", mistakes);
  return { isDryRun: dryRun.length > 0, fieldManager };
}

/** Upstream's limit. */
const longestManager = 128;

/** What only server-side apply has. Throws `ApiError` 422 where it is missing or out of place. */
export function applyOptionsOf(query: URLSearchParams, isApply: boolean): { readonly isForced: boolean } {
  const mistakes: FieldError[] = [];
  if (isApply && (query.get("fieldManager") ?? "") === "") {
    mistakes.push(requiredValue("fieldManager", "is required for apply patch"));
  }
  if (!isApply && query.has("force")) {
    mistakes.push(forbiddenValue("force", "may not be specified for non-apply patch"));
  }
  if (mistakes.length > 0) throw invalid({ group: "meta.k8s.io", name: "PatchOptions" }, "", mistakes);
  return { isForced: query.has("force") && isTrue(query.get("force")) };
}
