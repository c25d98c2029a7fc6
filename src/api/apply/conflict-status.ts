/** The answer to a configuration that sets fields of others: upstream's words. */
import { ApiError } from "../status.ts";
import type { Owner } from "./managed.ts";
import type { Conflict } from "./ownership.ts";
import { pathText } from "./path-element.ts";

function ownerText({ name, operation, apiVersion, subresource }: Owner): string {
  const who = subresource === "" ? JSON.stringify(name) : `${JSON.stringify(name)} with subresource "${subresource}"`;
  return operation === "Update" ? `${who} using ${apiVersion}` : who;
}

/** 409 with one cause per field. */
export function applyConflict(conflicts: readonly Conflict[]): ApiError {
  const texts = conflicts.map(({ owner, path }) => ({ who: ownerText(owner), field: pathText(path) }));
  return new ApiError({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: messageOf(texts),
    reason: "Conflict",
    details: {
      causes: texts.map(({ who, field }) => ({
        reason: "FieldManagerConflict",
        message: `conflict with ${who}`,
        field,
      })),
    },
    code: 409,
  });
}

function messageOf(texts: readonly { readonly who: string; readonly field: string }[]): string {
  const [only] = texts;
  if (texts.length === 1 && only !== undefined) {
    return `Apply failed with 1 conflict: conflict with ${only.who}: ${only.field}`;
  }
  const byOwner = new Map<string, string[]>();
  for (const { who, field } of texts) byOwner.set(who, [...(byOwner.get(who) ?? []), field]);
  const parts = [...byOwner].map(
    ([who, fields]) => `conflicts with ${who}:\n${fields.map((field) => `- ${field}`).join("\n")}`,
  );
  return `Apply failed with ${texts.length} conflicts: ${parts.join("\n")}`;
}
