/** Options in a request's query. */
import { forbiddenValue, invalidValue, requiredValue, tooLong, unsupportedValue } from "../../../api/field-error.ts";
import type { FieldError } from "../../../api/field-error.ts";
import type { FieldValidation } from "../../../api/decode/index.ts";
import { badRequest, invalid } from "../../../api/status.ts";
import { isTrue } from "../request-info.ts";
import type { RequestInfo } from "../request-info.ts";
import { dryRunMistakes } from "../resources/delete.ts";
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
    ...(limit === null || limit === "" ? {} : { limit: numberOf(limit) }),
  };
}

/** Throws `ApiError` 400 in Go's words. */
export function numberOf(text: string): number {
  if (/^-?\d{1,15}$/.test(text)) return Number(text);
  throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
}

/** Upstream's names for the options of a verb. Others have none, or (deletions) tell them in the body as well. */
const optionKinds: Readonly<Record<string, string>> = {
  create: "CreateOptions",
  update: "UpdateOptions",
  patch: "PatchOptions",
};

export interface WriteOptionsOfQuery {
  readonly isDryRun: boolean;
  readonly fieldManager: string;
  readonly validation: FieldValidation;
}

const noWishes: WriteOptionsOfQuery = { isDryRun: false, fieldManager: "", validation: "Warn" };

/** What requests that write have in common in their query. Throws `ApiError` 422 in upstream's words. */
export function writeOptionsOf({ query, verb }: Pick<RequestInfo, "query" | "verb">): WriteOptionsOfQuery {
  const kind = optionKinds[verb];
  if (kind === undefined || query.size === 0) return noWishes;
  const dryRun = query.getAll("dryRun");
  const mistakes: FieldError[] = dryRunMistakes(dryRun);
  const fieldManager = query.get("fieldManager") ?? "";
  const mode = query.get("fieldValidation") ?? "";
  const validation = validationModes.find((one) => one === mode);
  if (mode !== "" && validation === undefined) {
    mistakes.push(unsupportedValue("fieldValidation", mode, ["", "Ignore", "Strict", "Warn"]));
  }
  if (Buffer.byteLength(fieldManager) > longestManagerBytes)
    mistakes.push(tooLong("fieldManager", longestManagerBytes));
  const odd = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.exec(fieldManager);
  if (odd !== null) {
    const code = (odd[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
    const at = Buffer.byteLength(fieldManager.slice(0, odd.index));
    mistakes.push(invalidValue("fieldManager", fieldManager, `invalid character U+${code} (at position ${at})`));
  }
  if (mistakes.length > 0) throw invalid({ group: "meta.k8s.io", name: kind }, "", mistakes);
  return { isDryRun: dryRun.length > 0, fieldManager, validation: validation ?? "Warn" };
}

const validationModes = ["Ignore", "Strict", "Warn"] as const;

/** Upstream's limit. */
const longestManagerBytes = 128;

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
