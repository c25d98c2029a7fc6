/**
 * JSON text of an untrusted sender: its value, and what JSON.parse does not tell (keys given twice, nesting that
 * would exhaust the stack of whoever walks the value).
 */

/** The text is not JSON; the message is what Go's decoder, and so upstream, says. */
export class JsonTextError extends Error {
  override readonly name = "JsonTextError";
  readonly code = "JSON_INVALID";
}

export interface JsonText {
  readonly value: unknown;
  /** Paths of keys that an object has more than once, `spec.ports[0].name`. JSON.parse has kept the last value. */
  readonly duplicates: readonly string[];
}

/** Kubernetes' own types nest some twenty levels deep; schemas of custom resources perhaps a hundred. */
const depthLimit = 500;

/** Reads JSON. `findsDuplicates` costs a second pass in our own code. Throws `JsonTextError`. */
export function parseJsonText(text: string, findsDuplicates: boolean): JsonText {
  const { members, depth } = writtenIn(text);
  if (depth > depthLimit) throw new JsonTextError("exceeded max depth");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new JsonTextError(complaint(text, error), { cause: error });
  }
  // A key given twice has left one member less in the value than there is in the text: few texts are searched for it.
  const isSuspect = findsDuplicates && members !== membersOf(value);
  return { value, duplicates: isSuspect ? duplicatesIn(text) : [] };
}

const quote = 0x22;
const backslash = 0x5c;
const colon = 0x3a;

function isOpening(code: number): boolean {
  return code === 0x7b || code === 0x5b;
}

function isClosing(code: number): boolean {
  return code === 0x7d || code === 0x5d;
}

/** How many members the objects of a text have together, and how deep it nests; by its punctuation alone. */
function writtenIn(text: string): { readonly members: number; readonly depth: number } {
  let members = 0;
  let depth = 0;
  let deepest = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quote) at = endOfString(text, at);
    else if (code === colon) members += 1;
    else if (isOpening(code)) {
      depth += 1;
      if (depth > deepest) deepest = depth;
    } else if (isClosing(code)) depth -= 1;
  }
  return { members, depth: deepest };
}

/** The same number for a value. */
function membersOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  let members = 0;
  if (Array.isArray(value)) for (const item of value) members += membersOf(item);
  else {
    for (const key of Object.keys(value)) members += 1 + membersOf((value as Readonly<Record<string, unknown>>)[key]);
  }
  return members;
}

/** The index of the closing quote, or the end of a text that lacks it. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let first = end;
    while (first > start + 1 && text.charCodeAt(first - 1) === backslash) first -= 1;
    // Escaped is a quote after an odd number of backslashes.
    if ((end - first) % 2 === 0) return end;
  }
  return text.length;
}

interface Level {
  /** Keys seen so far; undefined within a list. */
  readonly keys: Set<string> | undefined;
  index: number;
  key: string;
}

function pathOf(levels: readonly Level[], key: string): string {
  let path = "";
  for (const level of levels.slice(0, -1)) {
    if (level.keys === undefined) path += `[${level.index}]`;
    else path += path === "" ? level.key : `.${level.key}`;
  }
  return path === "" ? key : `${path}.${key}`;
}

function duplicatesIn(text: string): readonly string[] {
  const duplicates: string[] = [];
  visitKeys(text, (levels, key, isAgain) => {
    if (isAgain) duplicates.push(pathOf(levels, key));
  });
  return duplicates;
}

export interface KeyComplaint {
  readonly path: string;
  readonly isDuplicate: boolean;
}

/** The keys given twice and the keys in `unknown` in the order of the text, as a decoder that reads it once meets them. */
export function complaintsInOrder(text: string, unknown: readonly string[]): readonly KeyComplaint[] {
  const left = new Set(unknown);
  const complaints: KeyComplaint[] = [];
  visitKeys(text, (levels, key, isDuplicate) => {
    const path = pathOf(levels, key);
    if (isDuplicate || left.delete(path)) complaints.push({ path, isDuplicate });
  });
  return complaints;
}

/** Walks valid JSON by its punctuation alone; `isAgain` where the object has the key already. */
function visitKeys(text: string, visit: (levels: readonly Level[], key: string, isAgain: boolean) => void): void {
  const levels: Level[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    const level = levels.at(-1);
    if (code === quote) {
      const end = endOfString(text, at);
      if (level?.keys && text.charCodeAt(afterBlanks(text, end + 1)) === 0x3a) {
        const key = keyOf(text.slice(at, end + 1));
        visit(levels, key, level.keys.has(key));
        level.keys.add(key);
        level.key = key;
      }
      at = end;
    } else if (code === 0x7b) levels.push({ keys: new Set(), index: 0, key: "" });
    else if (code === 0x5b) levels.push({ keys: undefined, index: 0, key: "" });
    else if (isClosing(code)) levels.pop();
    else if (code === 0x2c && level) level.index += 1;
  }
}

function keyOf(literal: string): string {
  return literal.includes("\\") ? String(JSON.parse(literal)) : literal.slice(1, -1);
}

function afterBlanks(text: string, start: number): number {
  let at = start;
  while (at < text.length && text.charCodeAt(at) <= 0x20) at += 1;
  return at;
}

/** Translates V8's complaint into Go's. */
function complaint(text: string, error: SyntaxError): string {
  const position = /at position (\d+)/.exec(error.message)?.[1];
  // For short texts V8 names the character, not its place.
  const token = /Unexpected token '(.)'/su.exec(error.message)?.[1];
  const at = position === undefined ? (token === undefined ? text.length : text.indexOf(token)) : Number(position);
  if (at >= text.length || /Unexpected end/.test(error.message)) return "unexpected end of JSON input";
  const character = text.slice(at, at + 1);
  const shown = character === "'" ? "'\\''" : `'${character}'`;
  return `invalid character ${shown} ${expectation(text, at)}`;
}

function expectation(text: string, at: number): string {
  const before = text.slice(0, at).trimEnd();
  if (before.endsWith(":") || before.endsWith("[") || before === "") return "looking for beginning of value";
  if (before.endsWith("{")) return "looking for beginning of object key string";
  if (before.endsWith(",")) return "looking for beginning of value";
  return "after top-level value";
}
