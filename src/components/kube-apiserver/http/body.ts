/** Decodes what clients send. */
import { decodeObject as decode, unrecognized } from "../../../api/decode/index.ts";
import type { DecodeSource, DecodeTarget, FieldValidation } from "../../../api/decode/index.ts";
import type { DeleteOptions } from "../../../api/generated/types.ts";
import type { KubernetesObject } from "../../../api/object.ts";
import { unsupportedMediaType } from "../../../api/status.ts";
import type { HttpRequest } from "./exchange.ts";
import { parseYaml, YamlTextError } from "./yaml-text.ts";

const readable = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"] as const;

/** Clients send them under the group version of what they delete. */
const deleteOptions: DecodeTarget = {
  group: "",
  version: "v1",
  kind: "DeleteOptions",
  type: "DeleteOptions",
  isOfEveryVersion: true,
};

export interface DecodeContext {
  /** How the request wants unknown and duplicate fields handled. */
  readonly validation: FieldValidation;
  /** Gets the complaints of the mode "Warn", which is the default. */
  readonly warnings: string[];
}

/** The object in the body, of the kind that the URL says. Throws `ApiError` 400, 415 or 422. */
export async function decodeBody<T extends KubernetesObject>(
  target: DecodeTarget,
  body: { readonly request: HttpRequest; readonly bytes: Buffer },
  { validation, warnings }: DecodeContext,
): Promise<T> {
  const source = await sourceOf(body.request, body.bytes, { target, validation });
  const decoded = decode<T>(target, source, validation);
  warnings.push(...decoded.warnings);
  return decoded.object;
}

/** Nothing in the body means no wishes. */
export async function decodeDeleteOptions(request: HttpRequest, bytes: Buffer): Promise<DeleteOptions> {
  if (bytes.length === 0) return {};
  const source = await sourceOf(request, bytes, { target: deleteOptions, validation: "Ignore" });
  return decode<DeleteOptions>(deleteOptions, source, "Ignore").object;
}

export function mediaTypeOf(request: HttpRequest): string {
  return (request.headers["content-type"] ?? "application/json").split(";")[0]?.trim().toLowerCase() ?? "";
}

interface Wanted {
  readonly target: DecodeTarget;
  readonly validation: FieldValidation;
}

async function sourceOf(request: HttpRequest, bytes: Buffer, { target, validation }: Wanted): Promise<DecodeSource> {
  switch (mediaTypeOf(request)) {
    case "":
    case "*/*":
    case "application/json":
      return { text: bytes.toString() };
    case "application/vnd.kubernetes.protobuf":
      return { protobuf: bytes };
    case "application/yaml":
      return await yamlSource(bytes.toString(), { target, validation });
    default:
      throw unsupportedMediaType(readable);
  }
}

async function yamlSource(text: string, { target, validation }: Wanted): Promise<DecodeSource> {
  try {
    const { value, duplicates } = await parseYaml(text);
    const strictly = duplicates.length === 0 ? [] : [`yaml: unmarshal errors:\n  ${duplicates.join("\n  ")}`];
    // Nothing at all is an object without fields.
    return { value: value ?? {}, text, complaints: validation === "Strict" ? strictly : duplicates };
  } catch (error) {
    if (!(error instanceof YamlTextError)) throw error;
    throw unrecognized(target, error.message, text);
  }
}
