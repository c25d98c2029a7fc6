/** `metadata.managedFields[].fieldsV1`: a field set as JSON. Both ways are remembered, for objects pass here again and again. */
import { deepFreeze } from "../../lib/deep-freeze/index.ts";
import { byElement, emptySet, leafSet, setOf } from "./field-set.ts";
import type { FieldSet } from "./field-set.ts";
import { isElement } from "./path-element.ts";

/** Not a field set in upstream's form. */
export class FieldsError extends Error {
  override readonly name = "FieldsError";
  readonly code = "FIELDS_INVALID";
}

export type Json = Readonly<Record<string, unknown>>;

const decoded = new WeakMap<object, FieldSet>();
const encoded = new WeakMap<FieldSet, Json>();

/** Deeper than any path of a real object; a client must not exhaust the stack. */
const depthLimit = 200;

/** Throws `FieldsError`. Expects that the value is not changed afterwards. */
export function decodeFields(value: unknown): FieldSet {
  if (value === undefined) return emptySet;
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw malformed(value);
  const known = decoded.get(value);
  if (known !== undefined) return known;
  const root = decodeNode(value, 0);
  const set = setOf(false, root.children);
  decoded.set(value, set);
  return set;
}

function decodeNode(value: unknown, depth: number): FieldSet {
  if (typeof value !== "object" || value === null || Array.isArray(value) || depth > depthLimit) throw malformed(value);
  const entries = Object.entries(value);
  if (entries.length === 0) return leafSet;
  const children = new Map<string, FieldSet>();
  let isMember = false;
  for (const [element, node] of entries) {
    if (element === ".") isMember = true;
    else {
      if (!isElement(element)) throw malformed(element);
      children.set(element, decodeNode(node, depth + 1));
    }
  }
  return setOf(isMember, children);
}

function malformed(value: unknown): FieldsError {
  const text = JSON.stringify(value) ?? "nothing";
  return new FieldsError(`Cannot read managed fields at ${text.slice(0, 80)}: give a tree of path elements`);
}

/** By text. Objects of one kind that one manager writes own the same fields: they share one value, and its decoded form. */
const shared = new Map<string, Json>();
/** Then it begins anew. */
const sharedLimit = 2000;

/** The same object for the same fields, frozen. */
export function encodeFields(set: FieldSet): Json {
  const known = encoded.get(set);
  if (known !== undefined) return known;
  const json = fieldsFromText(textOf({ isMember: false, children: set.children }));
  encoded.set(set, json);
  return json;
}

/** The value of a text in upstream's form and order: the same one for the same text, frozen. */
export function fieldsFromText(text: string): Json {
  let json = shared.get(text);
  if (json === undefined) {
    if (shared.size >= sharedLimit) shared.clear();
    json = deepFreeze(JSON.parse(text) as Json);
    shared.set(text, json);
  }
  return json;
}

function textOf({ isMember, children }: FieldSet): string {
  if (children.size === 0) return "{}";
  const parts = isMember ? ['".":{}'] : [];
  const entries = [...children];
  for (const [element, node] of entries.length === 1 ? entries : entries.toSorted(byElement)) {
    parts.push(`${JSON.stringify(element)}:${textOf(node)}`);
  }
  return `{${parts.join(",")}}`;
}
