/** Reads an applied configuration: what it sets and nothing else. */
import { decodeValue } from "../decode/index.ts";
import { apiVersionOf } from "../object.ts";
import type { KubernetesObject } from "../object.ts";
import { ApiError, badRequest } from "../status.ts";
import { elementOf, isMap } from "./items.ts";
import { fieldElement, pathText } from "./path-element.ts";
import { fieldShapesOf, shapeOfType } from "./shape.ts";
import type { Shape } from "./shape.ts";

/** The kind that a request's path names. */
export interface ApplyTarget {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly type: string;
}

/** Throws `ApiError`: 400 for another kind or a value of a wrong type, 500 in upstream's words for what does not fit the schema. */
export function readConfiguration(target: ApplyTarget, value: unknown): KubernetesObject {
  if (!isMap(value)) throw notAnObject(value);
  const expected = apiVersionOf(target);
  const { apiVersion, kind } = value;
  if (apiVersion !== expected || kind !== target.kind) throw anotherKind(apiVersion, kind);
  const metadata = isMap(value["metadata"]) ? value["metadata"] : {};
  if (metadata["managedFields"] !== undefined && metadata["managedFields"] !== null) {
    throw badRequest("metadata.managedFields must be nil");
  }
  const mistakes = schemaMistakes(shapeOfType(target.type), value, []);
  if (mistakes.length > 0) throw unfitting(target, metadata, mistakes);
  try {
    return decodeValue(target.type, value, { fillsZeros: false }).object;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw badRequest(error.message);
  }
}

function notAnObject(value: unknown): ApiError {
  if (value === null || value === undefined) return anotherKind(undefined, undefined);
  const type = Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;
  const why = `json: cannot unmarshal ${type} into Go value of type map[string]interface {}`;
  return badRequest(`error decoding YAML: error unmarshaling JSON: while decoding JSON: ${why}`);
}

function anotherKind(apiVersion: unknown, kind: unknown): ApiError {
  const version = typeof apiVersion === "string" ? apiVersion : "";
  const text = version.includes("/") ? version : `/${version}`;
  return badRequest(`invalid object type: ${text}, Kind=${typeof kind === "string" ? kind : ""}`);
}

function unfitting(
  target: ApplyTarget,
  { namespace, name }: Readonly<Record<string, unknown>>,
  mistakes: readonly string[],
): ApiError {
  const where = `${typeof namespace === "string" ? namespace : ""}/${typeof name === "string" ? name : ""}`;
  const gvk = `${target.group === "" ? "/" : `${target.group}/`}${target.version}, Kind=${target.kind}`;
  const why = mistakes.length === 1 ? mistakes[0] : `errors:\n${mistakes.map((text) => `  ${text}`).join("\n")}`;
  return new ApiError({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: `failed to create typed patch object (${where}; ${gvk}): ${why}`,
    code: 500,
  });
}

/** Unknown fields, items without their keys, and items given twice. */
function schemaMistakes(shape: Shape, value: unknown, path: readonly string[]): readonly string[] {
  switch (shape.kind) {
    case "leaf":
      return [];
    case "struct":
    case "map": {
      if (!isMap(value)) return [];
      return Object.entries(value).flatMap(([key, item]) => {
        const at = [...path, fieldElement(key)];
        const inner = shape.kind === "map" ? shape.value : fieldShapesOf(shape.type).get(key);
        if (inner === undefined) return [`${pathText(at)}: field not declared in schema`];
        return schemaMistakes(inner, item, at);
      });
    }
    case "set":
    case "keyed": {
      const seen = new Set<string>();
      return (Array.isArray(value) ? value : []).flatMap((item: unknown, index) => {
        const element = elementOf(shape, item);
        if (element === undefined) return [`${pathText(path)}: element ${index}: ${keyless(shape)}`];
        const at = [...path, element];
        if (seen.has(element)) return [`${pathText(path)}: duplicate entries for key ${pathText([element])}`];
        seen.add(element);
        return shape.kind === "keyed" ? schemaMistakes(shape.item, item, at) : [];
      });
    }
    default:
      return [];
  }
}

function keyless(shape: Shape): string {
  const key = shape.kind === "keyed" ? (shape.keys[0] ?? "") : "";
  const why = `associative list with keys has an element that omits key field ${JSON.stringify(key)}`;
  return `${why} (and doesn't have default value)`;
}
