import { createHash } from "node:crypto";
import { documentV2, documentV3 } from "./documents.ts";
import type { DocumentOptions } from "./documents.ts";
import { rootPathOf } from "./operations.ts";
import { protobufOf } from "./protobuf.ts";

export type { DocumentOptions } from "./documents.ts";
export type { Descriptions } from "./schemas.ts";

/** One document, ready to be sent. `hash` is of its content: the entity tag, and in v3 a part of its address. */
export interface OpenApiDocument {
  readonly body: Uint8Array;
  readonly hash: string;
}

/** The documents of a server, each made at its first use and kept. */
export interface OpenApi {
  /** `/openapi/v3`: which documents there are, each with an address that changes with its content. */
  index(): OpenApiDocument;
  /** `/openapi/v3/<path>`, path being `api/v1` or `apis/apps/v1`; undefined where nothing is served. */
  v3(path: string): OpenApiDocument | undefined;
  /** `/openapi/v2` as JSON. */
  v2(): OpenApiDocument;
  /** `/openapi/v2` as gnostic's protocol buffer. */
  v2Protobuf(): OpenApiDocument;
}

/** Content types that ask for the protocol buffer; the first is that of the answer. */
export const openApiProtobufTypes: readonly string[] = [
  "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
  "application/com.github.proto-openapi.spec.v2@v1.0+protobuf",
];

function documentOf(body: Uint8Array): OpenApiDocument {
  return { body, hash: createHash("sha512").update(body).digest("hex").toUpperCase() };
}

function jsonDocument(value: unknown): OpenApiDocument {
  return documentOf(Buffer.from(JSON.stringify(value)));
}

export function createOpenApi(options: DocumentOptions): OpenApi {
  const made = new Map<string, OpenApiDocument>();
  const once = (key: string, make: () => OpenApiDocument): OpenApiDocument => {
    const known = made.get(key);
    if (known !== undefined) return known;
    const document = make();
    made.set(key, document);
    return document;
  };
  const roots = new Set(options.definitions.map((definition) => rootPathOf(definition).slice(1)));
  const v3 = (path: string): OpenApiDocument | undefined =>
    roots.has(path) ? once(`v3/${path}`, () => jsonDocument(documentV3(options, `/${path}`))) : undefined;
  return {
    v3,
    index: () =>
      once("index", () => {
        const entries = [...roots].map((path) => {
          const serverRelativeURL = `/openapi/v3/${path}?hash=${v3(path)?.hash ?? ""}`;
          return [path, { serverRelativeURL }] as const;
        });
        return jsonDocument({ paths: Object.fromEntries(entries) });
      }),
    v2: () => once("v2", () => jsonDocument(documentV2(options))),
    v2Protobuf: () => once("v2 protobuf", () => documentOf(protobufOf(documentV2(options)))),
  };
}
