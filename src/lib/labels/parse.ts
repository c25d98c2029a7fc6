import { own } from "../own/index.ts";
import { labelKeyMistakes, labelValueMistakes } from "./syntax.ts";
import type { Operator, Requirement, Selector } from "./selector.ts";

/** A label selector's text cannot be read; the message is upstream's. */
export class LabelSelectorError extends Error {
  override readonly name = "LabelSelectorError";
  readonly code = "LABEL_SELECTOR_INVALID";
}

interface Token {
  readonly kind: "word" | "symbol" | "end";
  readonly text: string;
}

/** `==`, `!=` and the single characters; everything between them is a word. */
function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  for (const match of text.matchAll(/==|!=|[=!(),<>]|[^\s=!(),<>]+/g)) {
    const [token] = match;
    tokens.push({ kind: /^[=!(),<>]/.test(token) ? "symbol" : "word", text: token });
  }
  tokens.push({ kind: "end", text: "" });
  return tokens;
}

const operatorsBySymbol: Readonly<Record<string, Operator>> = {
  "=": "Equals",
  "==": "Equals",
  "!=": "NotEquals",
  ">": "GreaterThan",
  "<": "LessThan",
};

class Parser {
  private readonly tokens: readonly Token[];
  private position = 0;
  constructor(text: string) {
    this.tokens = tokenize(text);
  }

  parse(): Selector {
    const requirements: Requirement[] = [];
    if (this.peek().kind === "end") return requirements;
    for (;;) {
      requirements.push(this.requirement());
      const token = this.take();
      if (token.kind === "end") return requirements.toSorted((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)));
      if (token.text !== ",") throw unexpected(token, "',' or 'end of string'");
      if (this.peek().kind === "end") throw unexpected(this.peek(), "identifier after ','");
    }
  }

  private requirement(): Requirement {
    const isNegated = this.peek().text === "!";
    if (isNegated) this.take();
    const first = this.peek();
    if (first.kind !== "word") throw new MisplacedTokenError(first, "!, identifier, or 'end of string'");
    const key = this.take().text;
    const mistakes = labelKeyMistakes(key);
    if (mistakes.length > 0) {
      throw new LabelSelectorError(`<nil>: Invalid value: ${JSON.stringify(key)}: ${mistakes.join("; ")}`);
    }
    if (isNegated) return { key, operator: "DoesNotExist", values: [] };
    const next = this.peek();
    if (next.kind === "end" || next.text === ",") return { key, operator: "Exists", values: [] };
    this.take();
    if (next.kind === "word" && (next.text === "in" || next.text === "notin")) {
      return this.checked({ key, operator: next.text === "in" ? "In" : "NotIn", values: this.set() });
    }
    const operator = own(operatorsBySymbol, next.text);
    if (next.kind !== "symbol" || operator === undefined) {
      throw unexpected(next, "in, notin, =, ==, !=, gt, lt");
    }
    return this.checked({ key, operator, values: [this.exactValue()] });
  }

  private checked(requirement: Requirement): Requirement {
    const { key, operator, values } = requirement;
    for (const value of values) {
      const isOrder = operator === "GreaterThan" || operator === "LessThan";
      if (isOrder && !/^[+-]?\d+$/.test(value)) {
        const expected = "for 'Gt', 'Lt' operators, the value must be an integer";
        throw new LabelSelectorError(`values[0][${key}]: Invalid value: ${JSON.stringify(value)}: ${expected}`);
      }
      const mistakes = isOrder ? [] : labelValueMistakes(value);
      if (mistakes.length > 0) {
        throw new LabelSelectorError(
          `values[0][${key}]: Invalid value: ${JSON.stringify(value)}: ${mistakes.join("; ")}`,
        );
      }
    }
    return requirement;
  }

  /** A value may be missing: `app=` selects the empty value. */
  private exactValue(): string {
    const next = this.peek();
    if (next.kind === "end" || next.text === ",") return "";
    return this.word("identifier");
  }

  private set(): readonly string[] {
    const open = this.take();
    if (open.text !== "(") throw unexpected(open, "'('");
    const values = new Set<string>();
    for (;;) {
      const token = this.take();
      if (token.kind === "word") {
        values.add(token.text);
        const separator = this.take();
        if (separator.text === ")") return [...values];
        if (separator.text !== ",") throw unexpected(separator, "',' or ')'");
        if (this.peek().text === ")") values.add("");
      } else if (token.text === ",") values.add("");
      else if (token.text === ")") return values.size === 0 ? [""] : [...values];
      else throw unexpected(token, "',', ')' or identifier");
    }
  }

  private word(expected: string): string {
    const token = this.take();
    if (token.kind !== "word") throw unexpected(token, expected);
    return token.text;
  }

  private peek(): Token {
    return this.tokens[this.position] ?? { kind: "end", text: "" };
  }

  private take(): Token {
    const token = this.peek();
    this.position += 1;
    return token;
  }
}

/** Where a requirement should begin, something else is: upstream tells it without a prefix. */
class MisplacedTokenError extends LabelSelectorError {
  constructor(token: Token, expected: string) {
    super(`found '${token.text}', expected: ${expected}`);
  }
}

function unexpected(token: Token, expected: string): LabelSelectorError {
  return new LabelSelectorError(`found '${token.text}', expected: ${expected}`);
}

/** Reads `app=web,tier in (a,b),!old`; empty text selects everything. Throws `LabelSelectorError`. */
export function parseLabelSelector(text: string): Selector {
  try {
    return new Parser(text).parse();
  } catch (error) {
    if (!(error instanceof LabelSelectorError)) throw error;
    if (error instanceof MisplacedTokenError) throw error;
    throw new LabelSelectorError(`unable to parse requirement: ${error.message}`);
  }
}
