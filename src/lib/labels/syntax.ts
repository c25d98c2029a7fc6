/** Which strings are names, labels and keys in Kubernetes. Each check returns upstream's sentences, none when valid. */
import { suggestQuotes } from "../hints/index.ts";
interface Rule {
  /** What upstream counts. */
  readonly unit?: "bytes" | "characters";
  readonly pattern: RegExp;
  readonly maximumLength: number;
  readonly sentence: string;
}

function mistakes(text: string, { pattern, maximumLength, sentence, unit = "characters" }: Rule): readonly string[] {
  const found: string[] = [];
  if (Buffer.byteLength(text) > maximumLength) found.push(`must be no more than ${maximumLength} ${unit}`);
  // A hostile name of megabytes is not worth a regular expression.
  if (text.length > 4 * maximumLength || !pattern.test(text)) found.push(sentence + quotesHint(text, maximumLength));
  return found;
}

/** Upstream's sentences say what is allowed; that a quotation mark came from a word processor, they do not. */
function quotesHint(text: string, maximumLength: number): string {
  const hint = suggestQuotes(text.slice(0, 4 * maximumLength));
  return hint === undefined ? "" : `; ${hint}`;
}

const dnsLabel = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";

const subdomainRule: Rule = {
  pattern: new RegExp(`^${dnsLabel}(\\.${dnsLabel})*$`),
  maximumLength: 253,
  sentence:
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and " +
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is " +
    `'${dnsLabel}(\\.${dnsLabel})*')`,
};

const searchLabel = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
const searchRule: Rule = {
  pattern: new RegExp(`^${searchLabel}(\\.${searchLabel})*$`),
  maximumLength: 253,
  sentence:
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start " +
    "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is " +
    `'${searchLabel}(\\.${searchLabel})*')`,
};

const labelRule: Rule = {
  pattern: new RegExp(`^${dnsLabel}$`),
  maximumLength: 63,
  sentence:
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with " +
    `an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '${dnsLabel}')`,
};

const rfc1035Rule: Rule = {
  pattern: /^[a-z]([-a-z0-9]*[a-z0-9])?$/,
  maximumLength: 63,
  sentence:
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, " +
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is " +
    "'[a-z]([-a-z0-9]*[a-z0-9])?')",
};

const keyNameRule: Rule = {
  pattern: /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/,
  maximumLength: 63,
  sentence:
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character " +
    "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is " +
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
};

const labelValueRule: Rule = {
  unit: "bytes",
  pattern: /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/,
  maximumLength: 63,
  sentence:
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and " +
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is " +
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
};

const dataKeyRule: Rule = {
  pattern: /^[-._a-zA-Z0-9]+$/,
  maximumLength: 253,
  sentence:
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or " +
    "'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
};

/** `example.com`: names of most objects. */
export function subdomainMistakes(text: string): readonly string[] {
  return mistakes(text, subdomainRule);
}

/** Search domains of resolvers: as names, with underscores. */
export function searchMistakes(text: string): readonly string[] {
  return mistakes(text, searchRule);
}

/** `my-name`, `123-abc`: names of namespaces, pods' containers and ports. */
export function dnsLabelMistakes(text: string): readonly string[] {
  return mistakes(text, labelRule);
}

/** `my-name`, starting with a letter: names of Services. */
export function rfc1035LabelMistakes(text: string): readonly string[] {
  return mistakes(text, rfc1035Rule);
}

/** `app` or `example.com/app`. */
export function labelKeyMistakes(text: string): readonly string[] {
  const parts = text.split("/");
  if (parts.length > 2) {
    return [
      `a qualified name ${keyNameRule.sentence} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  const found: string[] = [];
  const name = parts.at(-1) ?? "";
  if (parts.length === 2) {
    const prefix = parts[0] ?? "";
    if (prefix === "") found.push("prefix part must be non-empty");
    else found.push(...subdomainMistakes(prefix).map((sentence) => `prefix part ${sentence}`));
  }
  if (name === "") found.push("name part must be non-empty");
  else if (name.length > keyNameRule.maximumLength) {
    found.push(`name part must be no more than ${keyNameRule.maximumLength} bytes`);
  }
  if (!keyNameRule.pattern.test(name.slice(0, 4096))) found.push(`name part ${keyNameRule.sentence}`);
  return found;
}

/** The empty string is a label value too. */
export function labelValueMistakes(text: string): readonly string[] {
  return mistakes(text, labelValueRule);
}

/** Keys of ConfigMaps and Secrets. */
export function dataKeyMistakes(text: string): readonly string[] {
  if (text === ".") return ["must not be '.'"];
  if (text === "..") return ["must not be '..'"];
  const found = [...mistakes(text, dataKeyRule)];
  if (text.startsWith("..")) found.push("must not start with '..'");
  return found;
}

/** Names of container ports, and of target ports given by name: at most 15 characters, RFC 6335. */
export function portNameMistakes(text: string): readonly string[] {
  const found: string[] = [];
  if (text.length > 15) found.push("must be no more than 15 characters");
  if (!/^[-a-z0-9]+$/.test(text)) {
    found.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  }
  if (!/[a-z]/.test(text)) found.push("must contain at least one letter (a-z)");
  if (text.includes("--")) found.push("must not contain consecutive hyphens");
  if (text.startsWith("-") || text.endsWith("-")) found.push("must not begin or end with a hyphen");
  return found;
}
