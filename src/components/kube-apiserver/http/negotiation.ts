/** What form of answer a client wants, from its Accept header. */
import { badRequest, notAcceptable } from "../../../api/status.ts";

/** `object` is the resource itself, `table` what kubectl prints, `metadata` only names and labels. */
export interface Representation {
  readonly form: "object" | "table" | "metadata";
  /** Of meta.k8s.io, for the latter two. */
  readonly version: "v1" | "v1beta1";
  /** What metadata was asked for by name: that of one object or of a list. */
  readonly metadataOf?: "object" | "list";
  /** With how much of the object a Table's rows come. */
  readonly includeObject: "None" | "Metadata" | "Object";
}

/** Answers in protobuf have no place yet; upstream names them. */
const offered = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"];
const jsonRanges = new Set(["application/json", "*/*", "application/*"]);
const yamlRange = "application/yaml";

const forms: ReadonlyMap<string, Representation["form"]> = new Map([
  ["Table", "table"],
  ["PartialObjectMetadata", "metadata"],
  ["PartialObjectMetadataList", "metadata"],
]);

/** One entry of an Accept header: its media type and parameters, in lower case where case does not count. */
interface MediaRange {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/**
 * @param offer.hasTable - False for what nobody lists, such as a review: kubectl then asks for the object.
 * Throws `ApiError` 406 when nothing on offer is accepted.
 */
export function representationOf(
  accept: string | undefined,
  query: URLSearchParams,
  { hasTable }: { readonly hasTable: boolean } = { hasTable: true },
): Representation {
  const base = { includeObject: "Metadata" } as const;
  const object = { form: "object", version: "v1", ...base } as const;
  const ranges = mediaRanges(accept ?? "");
  if (ranges.length === 0) return object;
  for (const { type, parameters } of ranges) {
    if (!jsonRanges.has(type) && type !== yamlRange) continue;
    const form = forms.get(parameters.get("as") ?? "");
    const version = parameters.get("v") ?? "v1";
    if (!parameters.has("as")) return object;
    const isOurs = (parameters.get("g") ?? "meta.k8s.io") === "meta.k8s.io";
    if (form === "table" && !hasTable) continue;
    if (form === undefined || !isOurs || (version !== "v1" && version !== "v1beta1")) continue;
    if (form === "table") return { form, version, ...base, includeObject: includeObjectOf(query.get("includeObject")) };
    const metadataOf = parameters.get("as") === "PartialObjectMetadata" ? "object" : "list";
    return { form, version, ...base, metadataOf };
  }
  throw notAcceptable(
    offered,
    ranges.some(({ type }) => jsonRanges.has(type) || offered.includes(type)),
  );
}

/** Is YAML what the client would rather read? */
export function prefersYaml(accept: string | undefined): boolean {
  if (accept === undefined || !accept.includes(yamlRange)) return false;
  return mediaRanges(accept).find(({ type }) => type === yamlRange || jsonRanges.has(type))?.type === yamlRange;
}

/** Few headers make up nearly all requests; more than these are read anew. */
const rememberedHeaders = 100;
const remembered = new Map<string, readonly MediaRange[]>();

/** The entries by falling quality, then in their order. Never throws; what cannot be read is left out. */
export function mediaRanges(accept: string): readonly MediaRange[] {
  const known = remembered.get(accept);
  if (known !== undefined) return known;
  const ranges = readRanges(accept);
  if (remembered.size < rememberedHeaders && accept.length < 500) remembered.set(accept, ranges);
  return ranges;
}

function readRanges(accept: string): readonly MediaRange[] {
  const ranges = accept.split(",").flatMap((entry): (MediaRange & { quality: number })[] => {
    const [type = "", ...rest] = entry.split(";").map((part) => part.trim());
    if (!type.includes("/")) return [];
    const parameters = new Map(
      rest.map((part): [string, string] => {
        const equals = part.indexOf("=");
        return equals === -1 ? [part.toLowerCase(), ""] : [part.slice(0, equals).toLowerCase(), part.slice(equals + 1)];
      }),
    );
    const quality = Number(parameters.get("q") ?? "1");
    return [{ type: type.toLowerCase(), parameters, quality: Number.isNaN(quality) ? 1 : quality }];
  });
  return ranges.filter(({ quality }) => quality > 0).toSorted((a, b) => b.quality - a.quality);
}

function includeObjectOf(value: string | null): Representation["includeObject"] {
  if (value === null || value === "") return "Metadata";
  if (value === "None" || value === "Object" || value === "Metadata") return value;
  const mistake = `includeObject: Invalid value: ${JSON.stringify(value)}: must be 'Metadata', 'Object', 'None', or empty`;
  throw badRequest(`Unable to convert to Table as requested: ${mistake}`);
}
