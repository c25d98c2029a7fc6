/** The `timeout` that clients may name, in Go's notation. */
import { quoted } from "../../../api/go-text.ts";
import { badRequest } from "../../../api/status.ts";

const units = new Set(["ns", "us", "\u00b5s", "\u03bcs", "ms", "s", "m", "h"]);

/** Throws `ApiError` 400 in upstream's words for what is no duration. */
export function checkTimeout(query: URLSearchParams): void {
  const text = query.get("timeout");
  if (text === null || text === "") return;
  const mistake = durationMistake(text);
  if (mistake !== undefined) throw badRequest(`invalid timeout specified in the request URL - time: ${mistake}`);
}

/** As Go's `time.ParseDuration` complains: "1m30s" is one, "5" and "5 s" are none. */
function durationMistake(text: string): string | undefined {
  let rest = text.replace(/^[+-]/, "");
  if (rest === "0") return undefined;
  if (rest === "") return `invalid duration ${quoted(text)}`;
  while (rest !== "") {
    const [, amount = "", unit = ""] = /^(\d+\.?\d*|\.\d+)?([^\d.]*)/.exec(rest) ?? [];
    if (amount === "") return `invalid duration ${quoted(text)}`;
    if (unit === "") return `missing unit in duration ${quoted(text)}`;
    if (!units.has(unit)) return `unknown unit ${quoted(unit)} in duration ${quoted(text)}`;
    rest = rest.slice(amount.length + unit.length);
  }
  return undefined;
}
