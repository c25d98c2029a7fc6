/** Field selectors: `status.phase!=Failed,spec.nodeName=node-1`. */

/** A field selector's text cannot be read, or names a field that cannot be selected; the message is upstream's. */
export class FieldSelectorError extends Error {
  override readonly name = "FieldSelectorError";
  readonly code = "FIELD_SELECTOR_INVALID";
}

export interface FieldRequirement {
  readonly field: string;
  readonly value: string;
  readonly isNegated: boolean;
}

/** All must hold; none selects everything. */
export type FieldSelector = readonly FieldRequirement[];

/** Splits at `separator`, which a backslash takes its meaning from. */
function splitUnescaped(text: string, separator: string): readonly string[] {
  const parts: string[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === separator) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

function unescaped(text: string): string {
  const bad = /\\(?![\\,=])|(?<!\\)(?:\\\\)*=/.exec(text);
  if (bad) throw new FieldSelectorError(`invalid field selector value: ${JSON.stringify(text)}`);
  return text.replace(/\\([\\,=])/g, "$1");
}

/** Reads a selector; empty text selects everything. Throws `FieldSelectorError`. */
export function parseFieldSelector(text: string): FieldSelector {
  const requirements: FieldRequirement[] = [];
  for (const part of splitUnescaped(text, ",")) {
    if (part === "") continue;
    const match = /^([^=!\\]+)(==|!=|=)([\s\S]*)$/.exec(part);
    const [, field, operator, value] = match ?? [];
    if (field === undefined || operator === undefined || value === undefined) {
      throw new FieldSelectorError(`invalid selector: '${text}'; can't understand '${part}'`);
    }
    requirements.push({ field, value: unescaped(value), isNegated: operator === "!=" });
  }
  return requirements;
}

/** `values` holds what the object has for each selectable field. An unknown field matches nothing but a negation. */
export function matchesFields(selector: FieldSelector, values: Readonly<Record<string, string>>): boolean {
  return selector.every(({ field, value, isNegated }) => {
    const actual = Object.hasOwn(values, field) ? (values[field] ?? "") : "";
    return (actual === value) !== isNegated;
  });
}

/** The text form, values escaped. */
export function fieldSelectorText(selector: FieldSelector): string {
  return selector
    .map(({ field, value, isNegated }) => `${field}${isNegated ? "!=" : "="}${value.replace(/[\\,=]/g, "\\$&")}`)
    .join(",");
}
