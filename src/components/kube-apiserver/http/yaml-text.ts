/** YAML as upstream reads and writes it: version 1.1, keys given twice complained of, the first document only. */
import type { YAMLError } from "yaml";

/** The text is no YAML; the message is in the words of Go's parser, as far as both tell the same mistakes apart. */
export class YamlTextError extends Error {
  override readonly name = "YamlTextError";
  readonly code = "YAML_INVALID";
}

export interface YamlText {
  readonly value: unknown;
  /** One per key that a mapping has more than once: `line 6: key "a" already set in map`. The last value counts. */
  readonly duplicates: readonly string[];
}

/** What an alias may be expanded to: more is an attack. */
const aliasLimit = 100;

/** Throws `YamlTextError`. */
export async function parseYaml(text: string): Promise<YamlText> {
  const { isScalar, LineCounter, parseDocument } = await import("yaml");
  const lines = new LineCounter();
  const duplicates: string[] = [];
  const repeats = (first: unknown, second: unknown): boolean => {
    if (!isScalar(first) || !isScalar(second) || first.value !== second.value) return false;
    const { line } = lines.linePos(second.range?.[0] ?? 0);
    duplicates.push(`line ${line}: key ${JSON.stringify(String(second.value))} already set in map`);
    return false;
  };
  const document = parseDocument(text, {
    version: "1.1",
    // Dates and times of day stay texts, as Go's JSON has them.
    customTags: (tags) =>
      tags.filter(
        (tag) =>
          typeof tag === "string" ||
          (tag.tag !== "tag:yaml.org,2002:timestamp" && !("format" in tag && tag.format === "TIME")),
      ),
    lineCounter: lines,
    uniqueKeys: repeats,
    logLevel: "silent",
    strict: false,
  });
  const [mistake] = document.errors.filter(({ code }) => code !== "MULTIPLE_DOCS");
  if (mistake !== undefined) throw new YamlTextError(complaint(mistake));
  try {
    return { value: document.toJS({ maxAliasCount: aliasLimit }) as unknown, duplicates };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const alias = /^Unresolved alias .*: (.*)$/.exec(message)?.[1];
    const why = alias === undefined ? message : `unknown anchor '${alias}' referenced`;
    throw new YamlTextError(`yaml: ${why}`, { cause: error });
  }
}

const complaints: Readonly<Record<string, string>> = {
  BLOCK_AS_IMPLICIT_KEY: "mapping values are not allowed in this context",
  TAB_AS_INDENT: "found a tab character that violates indentation",
  MISSING_CHAR: "could not find expected ':'",
};

function complaint({ code, message, linePos }: YAMLError): string {
  const line = linePos?.[0].line ?? 1;
  let why = complaints[code] ?? message.split(" at line ")[0] ?? message;
  if (message.startsWith("Missing closing")) return "yaml: found unexpected end of stream";
  if (message.startsWith("Flow sequence")) why = "did not find expected ',' or ']'";
  if (message.startsWith("Flow map")) why = "did not find expected ',' or '}'";
  return line === 1 ? `yaml: ${why}` : `yaml: line ${line}: ${why}`;
}

/** JSON text as YAML, keys sorted as Go's encoder does. */
export async function yamlOfJson(text: string): Promise<string> {
  const { stringify } = await import("yaml");
  const options = { version: "1.1", sortMapEntries: true, lineWidth: 0, indentSeq: false } as const;
  return stringify(JSON.parse(text), options);
}
