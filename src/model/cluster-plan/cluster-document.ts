/**
 * The configuration file of `netloom up -f`: a versioned kind of our own.
 *
 *     apiVersion: netloom.dev/v1alpha1
 *     kind: Cluster
 *     metadata: { name: ci }
 *     spec: { nodes: 5, podCidr: 10.200.0.0/16, wait: 30s }
 */
import { closestName } from "../../lib/hints/index.ts";
import { clusterSettings, type SettingType, type SettingValue, type SettingValues } from "./cluster-settings.ts";
import { parseDuration } from "./duration.ts";

const clusterDocumentVersion = "netloom.dev/v1alpha1";

/** What a file says, keyed as the command line's options are. */
export interface ClusterDocument {
  readonly name?: string;
  /** A value per key of `clusterSettings` that the file sets and that can be read: see `SettingValues`. */
  readonly settings: SettingValues;
  /** What is wrong with the file's form, each with its path. */
  readonly mistakes: readonly string[];
  /** Keys of settings whose values cannot be read. */
  readonly unreadable: readonly string[];
}

/** `value`: the parsed YAML or JSON. Whether the values make a cluster is not looked at. */
export function readClusterDocument(value: unknown): ClusterDocument {
  const mistakes: string[] = [];
  const root = fieldsOf(value, "", mistakes) ?? {};
  rejectUnknown(root, ["apiVersion", "kind", "metadata", "spec"], { path: "", mistakes });
  expectWord(root, { field: "apiVersion", word: clusterDocumentVersion }, mistakes);
  expectWord(root, { field: "kind", word: "Cluster" }, mistakes);
  const metadata = root["metadata"] === undefined ? {} : (fieldsOf(root["metadata"], "metadata", mistakes) ?? {});
  rejectUnknown(metadata, ["name"], { path: "metadata.", mistakes });
  const name = metadata["name"];
  if (name !== undefined && typeof name !== "string") mistakes.push(wrongType("metadata.name", "a text", name));
  const isName = typeof name === "string" && !rejectTypographicQuotes("metadata.name", name, mistakes);
  // An empty `spec:` is null in YAML, and means nothing.
  const spec = root["spec"] === undefined || root["spec"] === null ? {} : fieldsOf(root["spec"], "spec", mistakes);
  const settings = spec === undefined ? { settings: {}, unreadable: [] } : readSettings(spec, mistakes);
  return { ...(isName ? { name } : {}), ...settings, mistakes };
}

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown, path: string, mistakes: string[]): Fields | undefined {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  mistakes.push(wrongType(path === "" ? "the file" : path, "a mapping", value));
  return undefined;
}

function wrongType(path: string, wanted: string, value: unknown): string {
  return `${path}: must be ${wanted}, not ${JSON.stringify(value) ?? "nothing"}`;
}

function expectWord(
  root: Fields,
  { field, word }: { readonly field: string; readonly word: string },
  mistakes: string[],
): void {
  const value = root[field];
  if (value === word) return;
  mistakes.push(
    value === undefined ? `${field}: missing; write "${field}: ${word}"` : wrongType(field, `"${word}"`, value),
  );
}

function rejectUnknown(
  fields: Fields,
  known: readonly string[],
  { path, mistakes }: { readonly path: string; readonly mistakes: string[] },
): void {
  for (const field of Object.keys(fields)) {
    if (known.includes(field)) continue;
    // Case never counts in `closestName`; here "podCIDR" is the likeliest slip of all.
    const meant =
      known.find((one) => one.toLowerCase() === field.replaceAll("-", "").toLowerCase()) ?? closestName(field, known);
    const remedy = meant === undefined ? `known are ${known.join(", ")}` : `did you mean "${meant}"?`;
    mistakes.push(`${path}${field}: unknown field; ${remedy}`);
  }
}

/** As word processors and web pages make them; whether it did. */
function rejectTypographicQuotes(path: string, value: unknown, mistakes: string[]): boolean {
  const bare = typeof value === "string" ? /^[“”„«‘’‚](.*?)[“”»‘’]?$/s.exec(value)?.[1] : undefined;
  if (bare === undefined) return false;
  mistakes.push(`${path}: begins with a typographic quote, which YAML takes for a part of the text; write "${bare}"`);
  return true;
}

function readSettings(spec: Fields, mistakes: string[]): Pick<ClusterDocument, "settings" | "unreadable"> {
  rejectUnknown(
    spec,
    clusterSettings.map(({ key }) => key),
    { path: "spec.", mistakes },
  );
  const settings: Record<string, SettingValue> = {};
  const unreadable: string[] = [];
  for (const { key, type, offer } of clusterSettings) {
    const value = spec[key];
    if (value === undefined) continue;
    if (rejectTypographicQuotes(`spec.${key}`, value, mistakes)) {
      unreadable.push(key);
      continue;
    }
    const read = readField(type, value);
    if (read === undefined) {
      mistakes.push(wrongType(`spec.${key}`, offer, value));
      unreadable.push(key);
    } else settings[key] = read;
  }
  return { settings, unreadable };
}

function readField(type: SettingType, value: unknown): SettingValue | undefined {
  switch (type) {
    case "number":
      return Number.isInteger(value) ? (value as number) : undefined;
    case "text":
      return typeof value === "string" ? value : undefined;
    case "boolean":
      return typeof value === "boolean" ? value : undefined;
    case "duration":
      return typeof value === "string" || Number.isInteger(value) ? parseDuration(String(value)) : undefined;
    case "list":
      return Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === "string")
        ? value.join(",")
        : undefined;
  }
}
