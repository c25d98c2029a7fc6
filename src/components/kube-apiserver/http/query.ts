/** Options in a request's query. */
import { badRequest } from "../../../api/status.ts";
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
