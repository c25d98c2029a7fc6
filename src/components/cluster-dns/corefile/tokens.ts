/** The words of a Corefile, line by line (the Caddyfile's lexical rules, which CoreDNS uses). */

export interface Token {
  readonly text: string;
  /** From 1. */
  readonly line: number;
  /** A quoted `{` is a word, not a block. */
  readonly isQuoted: boolean;
}

/**
 * Splits into words at white space. `#` at a word's start begins a comment; `"…"` is one word, `\"` a quote in it;
 * `{$NAME}` and `{%NAME%}` are replaced from `environment`, by nothing where it is not set.
 */
export function tokenize(
  text: string,
  environment: Readonly<Record<string, string | undefined>> = {},
): readonly Token[] {
  const tokens: Token[] = [];
  const pattern = /(?<newline>\n)|#[^\n]*|"(?<quoted>(?:\\"|[^"])*)"|(?<word>[^\s"][^\s]*)|[^\S\n]+|"/gu;
  let line = 1;
  for (const { groups } of text.matchAll(pattern)) {
    const { newline, quoted, word } = groups ?? {};
    if (newline !== undefined) line += 1;
    if (quoted !== undefined) {
      tokens.push({ text: quoted.replaceAll('\\"', '"'), line, isQuoted: true });
      line += quoted.split("\n").length - 1;
    }
    if (word !== undefined) tokens.push({ text: expand(word, environment), line, isQuoted: false });
  }
  return tokens;
}

function expand(word: string, environment: Readonly<Record<string, string | undefined>>): string {
  return word.replaceAll(/\{\$(\w+)\}|\{%(\w+)%\}/g, (_all, unix: string | undefined, windows: string | undefined) => {
    return environment[unix ?? windows ?? ""] ?? "";
  });
}
