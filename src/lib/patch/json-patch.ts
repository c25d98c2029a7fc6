/** JSON Patch, RFC 6902, with JSON Pointers, RFC 6901. */
import { isJsonEqual } from "../equal/index.ts";
import { isJsonObject, ObjectBuilder, PatchError } from "./json-value.ts";
import type { JsonObject } from "./json-value.ts";

/** Upstream's limit. */
export const jsonPatchOperationLimit = 10_000;
/** Copies of copies double a document with every operation: what they may add in all, in characters of JSON. */
const copyLimit = 3 * 1024 * 1024;

type Pointer = readonly string[];

function malformed(message: string): PatchError {
  return new PatchError(message, true);
}

function unfit(message: string): PatchError {
  return new PatchError(message, false);
}

function pointerOf(operation: JsonObject, member: "path" | "from"): Pointer {
  const text = operation[member];
  if (typeof text !== "string") throw unfit(`${String(operation["op"])} operation lacks a string "${member}"`);
  if (text === "") return [];
  if (!text.startsWith("/")) throw unfit(`JSON pointer ${JSON.stringify(text)} does not start with "/"`);
  return text
    .slice(1)
    .split("/")
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function textOf(pointer: Pointer): string {
  return pointer.map((part) => `/${part.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

/** The index that a pointer's part means, "-" being the place after the last item. */
function indexOf(list: readonly unknown[], part: string, limit: number): number {
  if (part === "-" && limit > list.length - 1) return list.length;
  if (!/^(0|[1-9]\d{0,9})$/.test(part)) throw unfit(`${JSON.stringify(part)} is not an index of a list`);
  const index = Number(part);
  if (index > limit) throw unfit(`index ${index} is beyond the end of the list`);
  return index;
}

function childOf(value: unknown, part: string, pointer: Pointer): unknown {
  if (Array.isArray(value)) return value[indexOf(value, part, value.length - 1)];
  if (isJsonObject(value) && Object.hasOwn(value, part)) return value[part];
  throw unfit(`the document has no ${textOf(pointer)}`);
}

function valueAt(document: unknown, pointer: Pointer): unknown {
  return pointer.reduce((value, part) => childOf(value, part, pointer), document);
}

type Change = (parent: JsonObject | readonly unknown[], part: string) => JsonObject | readonly unknown[];

/** A copy of the document in which `change` has been made to what holds the pointer's last part. */
function changed(document: unknown, pointer: Pointer, change: Change): unknown {
  const [part, ...rest] = pointer;
  if (part === undefined) throw unfit("the whole document cannot be addressed here");
  if (!Array.isArray(document) && !isJsonObject(document)) throw unfit(`the document has no ${textOf(pointer)}`);
  if (rest.length === 0) return change(document, part);
  const child = changed(childOf(document, part, pointer), rest, change);
  if (Array.isArray(document)) return document.with(indexOf(document, part, document.length - 1), child);
  return withKey(document, part, child);
}

function withKey(object: JsonObject, key: string, value: unknown): JsonObject {
  const builder = new ObjectBuilder(object);
  builder.set(key, value);
  return builder.build();
}

function added(document: unknown, pointer: Pointer, value: unknown): unknown {
  if (pointer.length === 0) return value;
  return changed(document, pointer, (parent, part) =>
    Array.isArray(parent)
      ? parent.toSpliced(indexOf(parent, part, parent.length), 0, value)
      : withKey(parent as JsonObject, part, value),
  );
}

function removed(document: unknown, pointer: Pointer): unknown {
  valueAt(document, pointer);
  return changed(document, pointer, (parent, part) => {
    if (Array.isArray(parent)) return parent.toSpliced(indexOf(parent, part, parent.length - 1), 1);
    const builder = new ObjectBuilder(parent as JsonObject);
    builder.delete(part);
    return builder.build();
  });
}

function replaced(document: unknown, pointer: Pointer, value: unknown): unknown {
  if (pointer.length === 0) return value;
  // As upstream: what an object does not have yet is added.
  return changed(document, pointer, (parent, part) =>
    Array.isArray(parent)
      ? parent.with(indexOf(parent, part, parent.length - 1), value)
      : withKey(parent as JsonObject, part, value),
  );
}

function valueIn(operation: JsonObject): unknown {
  if (!Object.hasOwn(operation, "value")) throw unfit(`${String(operation["op"])} operation lacks a "value"`);
  return operation["value"];
}

interface Budget {
  copied: number;
}

function copied(document: unknown, pointer: Pointer, budget: Budget): unknown {
  const value = valueAt(document, pointer);
  budget.copied += JSON.stringify(value)?.length ?? 0;
  if (budget.copied > copyLimit) throw malformed(`the copies of a JSON patch exceed the limit of ${copyLimit} bytes`);
  return value;
}

function applyOperation(document: unknown, operation: unknown, budget: Budget): unknown {
  if (!isJsonObject(operation)) {
    throw malformed("error decoding patch: json: cannot unmarshal a value into Go value of type handlers.jsonPatchOp");
  }
  const path = pointerOf(operation, "path");
  switch (operation["op"]) {
    case "add":
      return added(document, path, valueIn(operation));
    case "remove":
      return removed(document, path);
    case "replace":
      return replaced(document, path, valueIn(operation));
    case "copy":
      return added(document, path, copied(document, pointerOf(operation, "from"), budget));
    case "move": {
      const from = pointerOf(operation, "from");
      if (path.length > from.length && from.every((part, index) => part === path[index])) {
        throw unfit(`${textOf(from)} cannot be moved into itself`);
      }
      return added(removed(document, from), path, valueAt(document, from));
    }
    case "test":
      if (isJsonEqual(valueAt(document, path), valueIn(operation))) return document;
      throw unfit(`testing value ${textOf(path)} failed: test failed`);
    default:
      throw unfit(`Unexpected kind: ${String(operation["op"])}`);
  }
}

/** Applies all operations or none. Changes neither argument. Throws `PatchError`. */
export function applyJsonPatch(document: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) {
    const type = patch === null || typeof patch !== "object" ? typeof patch : "object";
    throw malformed(
      `error decoding patch: json: cannot unmarshal ${type} into Go value of type []handlers.jsonPatchOp`,
    );
  }
  if (patch.length > jsonPatchOperationLimit) throw malformed("too many operations");
  const budget: Budget = { copied: 0 };
  return patch.reduce((value: unknown, operation: unknown) => applyOperation(value, operation, budget), document);
}
