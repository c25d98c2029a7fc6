/** The documents themselves, as JSON values: one for v2, one per group version for v3. */
import type { ResourceDefinition } from "../registry/index.ts";
import { modelNames, wellKnown } from "./models.ts";
import { operationsOf, rootPathOf } from "./operations.ts";
import type { Operation } from "./operations.ts";
import { pathParametersOf, queryParametersOf } from "./parameters.ts";
import type { Parameter } from "./parameters.ts";
import { closureOf, listSchema, objectSchema, referenceTo, wellKnownSchemas } from "./schemas.ts";
import type { Descriptions, Dialect, GroupVersionKind, Schema, SchemaContext } from "./schemas.ts";

export interface DocumentOptions {
  readonly definitions: readonly ResourceDefinition[];
  readonly descriptions: Descriptions;
  /** As `/version` reports it. */
  readonly version: string;
}

const patchTypes = [
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
  "application/apply-patch+yaml",
];
const answerTypes = ["application/json", "application/yaml", "application/json;stream=watch"];

interface Writer {
  readonly context: SchemaContext;
  /** Model name of the list of a type, or of the type. */
  modelOf(operation: Operation): string | undefined;
}

function listModelName(itemModel: string): string {
  return `${itemModel}List`;
}

function kindsOf(definitions: readonly ResourceDefinition[]): Map<string, GroupVersionKind[]> {
  const kinds = new Map<string, GroupVersionKind[]>();
  const add = (type: string, kind: GroupVersionKind): void => {
    const known = kinds.get(type) ?? [];
    const isKnown = known.some(
      (one) => one.group === kind.group && one.version === kind.version && one.kind === kind.kind,
    );
    if (!isKnown) kinds.set(type, [...known, kind]);
  };
  for (const { group, version, kind, type, subresources } of definitions) {
    add(type, { group, version, kind });
    add("DeleteOptions", { group, version, kind: "DeleteOptions" });
    for (const part of Object.values(subresources)) {
      if (part.type !== undefined) {
        add(part.type, { group: part.group ?? group, version: part.version ?? version, kind: part.kind });
      }
    }
  }
  add("Status", { group: "", version: "v1", kind: "Status" });
  return kinds;
}

function createWriter(dialect: Dialect, { definitions, descriptions }: DocumentOptions): Writer {
  const names = modelNames();
  const context: SchemaContext = { dialect, names, descriptions, kinds: kindsOf(definitions) };
  return {
    context,
    modelOf({ response, action }) {
      if (response === undefined) return undefined;
      const name = names.get(response) ?? response;
      return action === "list" ? listModelName(name) : name;
    },
  };
}

function schemasFor(writer: Writer, definitions: readonly ResourceDefinition[]): Record<string, Schema> {
  const { context } = writer;
  const schemas: Record<string, Schema> = { ...wellKnownSchemas(context.dialect) };
  const roots = definitions.flatMap(({ type, subresources }) => [
    type,
    ...Object.values(subresources).flatMap((part) => part.type ?? []),
  ]);
  for (const type of closureOf([...roots, "DeleteOptions", "Status", "ListMeta", "APIResourceList"])) {
    schemas[context.names.get(type) ?? type] = objectSchema(type, context);
  }
  for (const { type, group, version, kind, verbs } of definitions) {
    if (!verbs.includes("list")) continue;
    const list = { group, version, kind: `${kind}List` };
    schemas[listModelName(context.names.get(type) ?? type)] = listSchema(type, list, context);
  }
  return Object.fromEntries(Object.entries(schemas).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function parameterOf(dialect: Dialect, { name, in: where, type, description }: Parameter): Schema {
  const base = { name, in: where, description, ...(where === "path" ? { required: true } : {}) };
  return dialect === "v2" ? { ...base, type, uniqueItems: true } : { ...base, schema: { type, uniqueItems: true } };
}

function operationOf(writer: Writer, operation: Operation): Schema {
  const { dialect, names } = writer.context;
  const model = writer.modelOf(operation);
  const answer = model === undefined ? { type: "string" } : referenceTo(dialect, model);
  const body = operation.action === "patch" ? wellKnown.patch : operation.request && names.get(operation.request);
  const isCreated = operation.action === "post";
  const request = body === undefined || body === "" ? undefined : referenceTo(dialect, body);
  const parameters = queryParametersOf(operation.action).map((parameter) => parameterOf(dialect, parameter));
  const shared = {
    operationId: operation.id,
    "x-kubernetes-action": operation.action,
    "x-kubernetes-group-version-kind": operation.kind,
  };
  const isBodyOptional = operation.action === "delete" || operation.action === "deletecollection";
  if (dialect === "v2") {
    const bodyParameter = { in: "body", name: "body", ...(isBodyOptional ? {} : { required: true }), schema: request };
    const responses = { 200: { description: "OK", schema: answer }, 401: { description: "Unauthorized" } };
    return {
      ...shared,
      schemes: ["https"],
      consumes: operation.action === "patch" ? patchTypes : ["*/*"],
      produces: answerTypes,
      parameters: request === undefined ? parameters : [bodyParameter, ...parameters],
      responses: isCreated ? { ...responses, 201: { description: "Created", schema: answer } } : responses,
    };
  }
  const content = Object.fromEntries(answerTypes.map((type) => [type, { schema: answer }]));
  const responses = { 200: { description: "OK", content }, 401: { description: "Unauthorized" } };
  const bodyTypes = operation.action === "patch" ? patchTypes : ["*/*"];
  return {
    ...shared,
    parameters,
    ...(request === undefined
      ? {}
      : {
          requestBody: {
            content: Object.fromEntries(bodyTypes.map((type) => [type, { schema: request }])),
            ...(isBodyOptional ? {} : { required: true }),
          },
        }),
    responses: isCreated ? { ...responses, 201: { description: "Created", content } } : responses,
  };
}

function pathsFor(writer: Writer, definitions: readonly ResourceDefinition[]): Record<string, Schema> {
  const { dialect } = writer.context;
  const paths = new Map<string, Record<string, unknown>>();
  for (const operation of definitions.flatMap(operationsOf)) {
    const item = paths.get(operation.path) ?? {
      parameters: pathParametersOf(operation.path).map((parameter) => parameterOf(dialect, parameter)),
    };
    item[operation.method] = operationOf(writer, operation);
    paths.set(operation.path, item);
  }
  return Object.fromEntries([...paths].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** The v2 document of everything served. */
export function documentV2(options: DocumentOptions): Schema {
  const writer = createWriter("v2", options);
  return {
    swagger: "2.0",
    info: { title: "Kubernetes", version: options.version },
    paths: pathsFor(writer, options.definitions),
    definitions: schemasFor(writer, options.definitions),
  };
}

/** The v3 document of one group version; `undefined` where nothing is served. `root` is `/api/v1`, `/apis/apps/v1`. */
export function documentV3(options: DocumentOptions, root: string): Schema | undefined {
  const own = options.definitions.filter((definition) => rootPathOf(definition) === root);
  if (own.length === 0) return undefined;
  const writer = createWriter("v3", options);
  return {
    openapi: "3.0.0",
    info: { title: "Kubernetes", version: options.version },
    paths: pathsFor(writer, own),
    components: { schemas: schemasFor(writer, own) },
  };
}
