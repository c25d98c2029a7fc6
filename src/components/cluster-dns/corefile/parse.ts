/** A Corefile's structure: server blocks, each with its directives and their blocks. */
import { tokenize } from "./tokens.ts";
import type { Token } from "./tokens.ts";

export interface Directive {
  readonly name: string;
  readonly args: readonly string[];
  /** The lines of its block; empty where it has none. */
  readonly block: readonly Directive[];
  readonly line: number;
}

export interface ServerBlock {
  /** ".:53", "cluster.local:5353", "dns://example.org". */
  readonly keys: readonly string[];
  readonly directives: readonly Directive[];
  readonly line: number;
}

/** What is wrong in a Corefile, each with its line. */
export interface Problem {
  readonly line: number;
  readonly text: string;
}

export class CorefileError extends Error {
  readonly code = "CorefileInvalid";
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(`Cannot read Corefile: ${problems.map(({ line, text }) => `line ${line}: ${text}`).join("; ")}`);
    this.problems = problems;
  }
}

/** Throws `CorefileError` at the first place where braces do not fit; names and arguments are not judged here. */
export function parseCorefile(
  text: string,
  environment: Readonly<Record<string, string | undefined>> = {},
): readonly ServerBlock[] {
  const tokens = tokenize(text, environment);
  const blocks: ServerBlock[] = [];
  let at = 0;
  while (at < tokens.length) {
    const keys: string[] = [];
    const line = tokens[at]?.line ?? 1;
    for (; at < tokens.length && !isBrace(tokens[at], "{"); at += 1) {
      const token = tokens[at];
      if (isBrace(token, "}")) throw broken(token?.line ?? line, 'there is a "}" without its "{"');
      keys.push(...(token?.text ?? "").split(",").filter((key) => key !== ""));
    }
    if (at === tokens.length) throw broken(line, `the server block "${keys.join(" ")}" needs a "{" behind its name`);
    if (keys.length === 0) throw broken(line, 'a server block needs a zone before its "{", such as ".:53"');
    const { directives, end } = parseBlock(tokens, at);
    blocks.push({ keys, directives, line });
    at = end;
  }
  return blocks;
}

/** @param open - Where the block's `{` stands. */
function parseBlock(
  tokens: readonly Token[],
  open: number,
): { readonly directives: readonly Directive[]; readonly end: number } {
  const openLine = tokens[open]?.line ?? 1;
  const directives: Directive[] = [];
  let at = open + 1;
  for (;;) {
    const first = tokens[at];
    if (first === undefined) throw broken(openLine, 'the "{" of this line has no "}"');
    if (isBrace(first, "}")) return { directives, end: at + 1 };
    if (isBrace(first, "{")) throw broken(first.line, 'a "{" must stand behind a name on the same line');
    const args: string[] = [];
    at += 1;
    while (tokens[at]?.line === first.line && !isBrace(tokens[at], "{") && !isBrace(tokens[at], "}")) {
      args.push(tokens[at]?.text ?? "");
      at += 1;
    }
    const hasBlock = tokens[at]?.line === first.line && isBrace(tokens[at], "{");
    const inner = hasBlock ? parseBlock(tokens, at) : undefined;
    if (inner !== undefined) at = inner.end;
    directives.push({ name: first.text, args, block: inner?.directives ?? [], line: first.line });
  }
}

function isBrace(token: Token | undefined, brace: "{" | "}"): boolean {
  return token !== undefined && !token.isQuoted && token.text === brace;
}

function broken(line: number, text: string): CorefileError {
  return new CorefileError([{ line, text }]);
}
