/** Decodes what clients send. */
import { decodeObject as decode } from "../../../api/decode/index.ts";
import type { DecodeSource, DecodeTarget, FieldValidation } from "../../../api/decode/index.ts";
import type { DeleteOptions } from "../../../api/generated/types.ts";
import type { KubernetesObject } from "../../../api/object.ts";
import { badRequest, invalid, unsupportedMediaType } from "../../../api/status.ts";
import type { HttpRequest } from "./exchange.ts";

const readable = [
  "application/json",
  "application/yaml",
  "application/vnd.kubernetes.protobuf",
  "application/cbor",
] as const;

/** Clients send them under the group version of what they delete. */
const deleteOptions: DecodeTarget = {
  group: "",
  version: "v1",
  kind: "DeleteOptions",
  type: "DeleteOptions",
  isOfEveryVersion: true,
};

/** How the request wants unknown and duplicate fields handled. */
export interface DecodeContext {
  readonly query: URLSearchParams;
  /** Gets the complaints of the mode "Warn", which is the default. */
  readonly warnings: string[];
}

/** The object in the body, of the kind that the URL says. Throws `ApiError` 400, 415 or 422. */
export async function decodeBody<T extends KubernetesObject>(
  target: DecodeTarget,
  body: { readonly request: HttpRequest; readonly bytes: Buffer },
  { query, warnings }: DecodeContext,
): Promise<T> {
  const decoded = decode<T>(target, await sourceOf(body.request, body.bytes), validationOf(query));
  warnings.push(...decoded.warnings);
  return decoded.object;
}

/** Nothing in the body means no wishes. */
export async function decodeDeleteOptions(request: HttpRequest, bytes: Buffer): Promise<DeleteOptions> {
  if (bytes.length === 0) return {};
  const source = await sourceOf(request, bytes);
  return decode<DeleteOptions>(deleteOptions, source, "Ignore").object;
}

/** Throws `ApiError` 422 for a mode that does not exist. */
export function validationOf(query: URLSearchParams): FieldValidation {
  const mode = query.get("fieldValidation") ?? "";
  if (mode === "" || mode === "Warn") return "Warn";
  if (mode === "Strict" || mode === "Ignore") return mode;
  const body = `Unsupported value: ${JSON.stringify(mode)}: supported values: "", "Ignore", "Strict", "Warn"`;
  throw invalid({ group: "meta.k8s.io", name: "CreateOptions" }, "", [
    { type: "FieldValueNotSupported", field: "fieldValidation", body },
  ]);
}

export function mediaTypeOf(request: HttpRequest): string {
  return (request.headers["content-type"] ?? "application/json").split(";")[0]?.trim().toLowerCase() ?? "";
}

async function sourceOf(request: HttpRequest, bytes: Buffer): Promise<DecodeSource> {
  switch (mediaTypeOf(request)) {
    case "":
    case "*/*":
    case "application/json":
      return { text: bytes.toString() };
    case "application/vnd.kubernetes.protobuf":
      return { protobuf: bytes };
    case "application/yaml":
      return { value: await yamlOf(bytes.toString()) };
    default:
      throw unsupportedMediaType(readable);
  }
}

async function yamlOf(text: string): Promise<unknown> {
  const { parse } = await import("yaml");
  try {
    return parse(text, { maxAliasCount: 100 });
  } catch (error) {
    throw badRequest(`error converting YAML to JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}
