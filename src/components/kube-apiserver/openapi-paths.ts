/** Serves the OpenAPI documents: clients keep them by their hash. */
import { createOpenApi, openApiProtobufTypes } from "../../api/openapi/index.ts";
import type { Descriptions, OpenApiDocument } from "../../api/openapi/index.ts";
import type { Registry } from "../../api/registry/index.ts";
import type { PathHandler } from "./handler.ts";
import { readDescriptions } from "./openapi-descriptions.ts";
import { mediaRanges } from "./http/negotiation.ts";
import type { Answer, HttpRequest } from "./http/exchange.ts";

const yearSeconds = 365 * 24 * 3600;

export function createOpenApiPaths(registry: Registry, version: string): PathHandler {
  // Four hundred kilobytes that most servers never need: read with the first document.
  let descriptions: Descriptions | undefined;
  const openApi = createOpenApi({
    definitions: registry.definitions,
    version,
    get descriptions() {
      descriptions ??= readDescriptions();
      return descriptions;
    },
  });
  return (info, request) => {
    const { path } = info;
    if (path === "/openapi/v2") {
      const types = mediaRanges(request.headers.accept ?? "").map(({ type }) => type);
      const wantsProtobuf = types.some((type) => openApiProtobufTypes.includes(type));
      if (!wantsProtobuf) return documentAnswer(openApi.v2(), request, { contentType: "application/json" });
      const contentType = openApiProtobufTypes[0] ?? "";
      return documentAnswer(openApi.v2Protobuf(), request, { contentType });
    }
    if (path === "/openapi/v3" || path === "/openapi/v3/") return documentAnswer(openApi.index(), request, {});
    if (!path.startsWith("/openapi/v3/")) return undefined;
    const document = openApi.v3(path.slice("/openapi/v3/".length));
    if (document === undefined) return undefined;
    // An address with the right hash names this content for ever; one with another is behind the times.
    const hash = info.query.get("hash");
    if (hash !== null && hash !== document.hash) return moved(`${path}?hash=${document.hash}`);
    return documentAnswer(document, request, { isLasting: hash === document.hash });
  };
}

function moved(location: string): Answer {
  return { code: 301, body: "", contentType: "text/plain; charset=utf-8", headers: { location } };
}

function documentAnswer(
  { body, hash }: OpenApiDocument,
  request: HttpRequest,
  {
    contentType = "application/json",
    isLasting = false,
  }: { readonly contentType?: string; readonly isLasting?: boolean },
): Answer {
  const headers = {
    etag: `"${hash}"`,
    vary: "Accept-Encoding, Accept",
    ...(isLasting ? { "cache-control": `public, max-age=${yearSeconds}, immutable` } : {}),
  };
  if (request.headers["if-none-match"] === `"${hash}"`) return { code: 304, body: "", contentType, headers };
  return { code: 200, body, contentType, headers };
}
