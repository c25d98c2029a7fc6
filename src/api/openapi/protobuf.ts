/**
 * The v2 document as the protocol buffer that kubectl asks for. Field numbers are those of gnostic's OpenAPIv2.proto
 * (github.com/google/gnostic, openapiv2/), of which only what our documents use is written.
 */
import { ProtobufWriter } from "../../lib/protobuf/index.ts";
import type { Schema } from "./schemas.ts";

function schemaIn(value: unknown): Schema {
  return (value ?? {}) as Schema;
}

function stringIn(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function stringsIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? (value as readonly string[]) : [];
}

/** `x-…` members, as NamedAny with the value in YAML, of which JSON is a part. */
function writeExtensions(writer: ProtobufWriter, field: number, schema: Schema): void {
  for (const [name, value] of Object.entries(schema)) {
    if (!name.startsWith("x-")) continue;
    writer.message(field, (named) => {
      named.string(1, name);
      named.message(2, (any) => any.string(2, JSON.stringify(value)));
    });
  }
}

function writeSchema(writer: ProtobufWriter, schema: Schema): void {
  writer.string(1, stringIn(schema["$ref"]));
  writer.string(2, stringIn(schema["format"]));
  writer.string(4, stringIn(schema["description"]));
  writer.strings(19, stringsIn(schema["required"]));
  const { additionalProperties, type, items, properties } = schema;
  if (additionalProperties !== undefined) {
    writer.message(21, (item) => item.message(1, (inner) => writeSchema(inner, schemaIn(additionalProperties))));
  }
  const typeName = stringIn(type);
  if (typeName !== undefined) writer.message(22, (item) => item.string(1, typeName));
  if (items !== undefined) {
    writer.message(23, (item) => item.message(1, (inner) => writeSchema(inner, schemaIn(items))));
  }
  if (properties !== undefined) writer.message(25, (inner) => writeNamedSchemas(inner, schemaIn(properties)));
  writeExtensions(writer, 31, schema);
}

function writeNamedSchemas(writer: ProtobufWriter, schemas: Schema): void {
  for (const [name, schema] of Object.entries(schemas)) {
    writer.message(1, (named) => {
      named.string(1, name);
      named.message(2, (inner) => writeSchema(inner, schemaIn(schema)));
    });
  }
}

/** ParametersItem > Parameter > BodyParameter, or > NonBodyParameter > query or path. */
function writeParameter(writer: ProtobufWriter, parameter: Schema): void {
  writer.message(1, (outer) => {
    if (parameter["in"] === "body") {
      outer.message(1, (body) => {
        body.string(2, stringIn(parameter["name"]));
        body.string(3, "body");
        body.boolean(4, parameter["required"] === true);
        body.message(5, (inner) => writeSchema(inner, schemaIn(parameter["schema"])));
      });
      return;
    }
    const isQuery = parameter["in"] === "query";
    outer.message(2, (other) => {
      other.message(isQuery ? 3 : 4, (inner) => {
        inner.boolean(1, parameter["required"] === true);
        inner.string(2, stringIn(parameter["in"]));
        inner.string(3, stringIn(parameter["description"]));
        inner.string(4, stringIn(parameter["name"]));
        // QueryParameterSubSchema has allow_empty_value before its type.
        inner.string(isQuery ? 6 : 5, stringIn(parameter["type"]));
        inner.boolean(isQuery ? 20 : 19, parameter["uniqueItems"] === true);
      });
    });
  });
}

function writeResponses(writer: ProtobufWriter, responses: Schema): void {
  for (const [code, response] of Object.entries(responses)) {
    const { description, schema } = schemaIn(response);
    writer.message(1, (named) => {
      named.string(1, code);
      named.message(2, (value) =>
        value.message(1, (inner) => {
          inner.string(1, stringIn(description));
          if (schema === undefined) return;
          inner.message(2, (item) => item.message(1, (content) => writeSchema(content, schemaIn(schema))));
        }),
      );
    });
  }
}

function writeOperation(writer: ProtobufWriter, operation: Schema): void {
  writer.string(5, stringIn(operation["operationId"]));
  writer.strings(6, stringsIn(operation["produces"]));
  writer.strings(7, stringsIn(operation["consumes"]));
  writeParameters(writer, 8, operation["parameters"]);
  writer.message(9, (inner) => writeResponses(inner, schemaIn(operation["responses"])));
  writer.strings(10, stringsIn(operation["schemes"]));
  writeExtensions(writer, 13, operation);
}

function writeParameters(writer: ProtobufWriter, field: number, parameters: unknown): void {
  if (!Array.isArray(parameters)) return;
  for (const parameter of parameters) writer.message(field, (item) => writeParameter(item, schemaIn(parameter)));
}

const methodFields = { get: 2, put: 3, post: 4, delete: 5, patch: 8 } as const;

function writePath(writer: ProtobufWriter, path: Schema): void {
  for (const [method, field] of Object.entries(methodFields)) {
    const operation = path[method];
    if (operation !== undefined) writer.message(field, (inner) => writeOperation(inner, schemaIn(operation)));
  }
  writeParameters(writer, 9, path["parameters"]);
}

/** The bytes of a document made by `documentV2`. */
export function protobufOf(document: Schema): Uint8Array {
  const writer = new ProtobufWriter();
  const info = schemaIn(document["info"]);
  writer.string(1, stringIn(document["swagger"]));
  writer.message(2, (inner) => {
    inner.string(1, stringIn(info["title"]));
    inner.string(2, stringIn(info["version"]));
  });
  writer.message(8, (paths) => {
    for (const [name, path] of Object.entries(schemaIn(document["paths"]))) {
      paths.message(2, (named) => {
        named.string(1, name);
        named.message(2, (inner) => writePath(inner, schemaIn(path)));
      });
    }
  });
  writer.message(9, (definitions) => writeNamedSchemas(definitions, schemaIn(document["definitions"])));
  return writer.finish();
}
