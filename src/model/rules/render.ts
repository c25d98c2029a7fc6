/** The rule set in nft's language. */
import { provenanceText } from "../provenance.ts";
import {
  dataText,
  indexElements,
  keyText,
  setPath,
  verdictText,
  type BaseHook,
  type Chain,
  type Element,
  type Family,
  type FieldType,
  type Rule,
  type RuleSet,
  type SetDeclaration,
  type Skeleton,
} from "./rule-set.ts";
import type { Assign, Compare, DynamicElement, Field, OneOf, Reject, Statement } from "./statement.ts";

/**
 * Names what cannot change in a table without making it anew (its sets' types and its base hooks); kept in the kernel as
 * the table's comment, so that a later process knows whether the table is of its own making.
 */
export function layoutName({ family, sets, chains }: Skeleton): string {
  const texts = [
    ...[...sets.values()].map((declaration) => [declaration.name, ...declarationLines(declaration, family)].join(" ")),
    ...[...chains.values()].flatMap(({ name, base }) => (base === undefined ? [] : `${name} ${baseText(base)}`)),
  ];
  // FNV-1a: a fingerprint, not a secret.
  let hash = 0x811c_9dc5;
  for (const byte of texts.join("\n")) hash = Math.imul(hash ^ (byte.codePointAt(0) ?? 0), 0x0100_0193) >>> 0;
  return `netloom layout ${hash.toString(16).padStart(8, "0")}`;
}

/** nft refuses longer comments. */
const commentBytes = 127;

/**
 * One transaction that puts exactly `ruleSet` in place of whatever its tables held. Ends with a newline. Elements come
 * in the order of their keys, so that equal rule sets give equal text.
 */
export function renderText(ruleSet: RuleSet): string {
  const elements = indexElements(ruleSet.parts.values());
  const lines: string[] = [];
  for (const skeleton of ruleSet.skeletons) {
    const name = `${skeleton.family} ${skeleton.table}`;
    lines.push(`add table ${name}`, `delete table ${name}`, `table ${name} {`, `\tcomment "${layoutName(skeleton)}"`);
    for (const declaration of skeleton.sets.values()) {
      const path = setPath({ ...skeleton, set: declaration.name });
      lines.push(...renderSet(declaration, skeleton.family, [...(elements.get(path)?.values() ?? [])]));
    }
    for (const chain of skeleton.chains.values()) lines.push(...renderChain(chain, skeleton.family));
    lines.push("}");
  }
  return `${lines.join("\n")}\n`;
}

function renderSet(declaration: SetDeclaration, family: Family, elements: readonly Element[]): string[] {
  const lines = [
    `\t${isMap(declaration) ? "map" : "set"} ${declaration.name} {`,
    ...declarationLines(declaration, family),
  ];
  if (elements.length > 0) {
    const sorted = elements.map((element) => elementText(element)).toSorted(byText);
    lines.push(`\t\telements = { ${sorted.join(",\n\t\t\t")} }`);
  }
  lines.push("\t}");
  return lines;
}

/** The lines between the braces of a set or map, without elements. */
export function declarationLines(declaration: SetDeclaration, family: Family): string[] {
  const { key, data, flags, timeoutSeconds, size } = declaration;
  const isTyped = !key.includes("source-low-96");
  const name = (type: FieldType): string => (isTyped ? typeName(type, family) : typeofName(type));
  const dataName =
    data === undefined ? "" : ` : ${data === "verdict" ? data : data.map((type) => name(type)).join(" . ")}`;
  const lines = [`\t\t${isTyped ? "type" : "typeof"} ${key.map((type) => name(type)).join(" . ")}${dataName}`];
  if (size !== undefined) lines.push(`\t\tsize ${size}`);
  if (flags !== undefined) lines.push(`\t\tflags ${flags.join(",")}`);
  if (timeoutSeconds !== undefined) lines.push(`\t\ttimeout ${timeoutSeconds}s`);
  return lines;
}

export function isMap(declaration: SetDeclaration): boolean {
  return declaration.data !== undefined;
}

function typeName(type: FieldType, family: Family): string {
  if (type === "address") return family === "ip" ? "ipv4_addr" : "ipv6_addr";
  return { protocol: "inet_proto", port: "inet_service", mark: "mark", "source-low-96": "@nh,96,96" }[type];
}

/** For keys that no `type` can name: nft infers them from an expression. */
function typeofName(type: FieldType): string {
  return type === "mark" ? "meta mark" : typeName(type, "ip6");
}

/** `10.96.0.1 . tcp . 443 comment "Service default/kubernetes port https" : 1`. */
export function elementText(element: Element, options: { readonly hasComment?: boolean } = {}): string {
  const comment = options.hasComment === false ? "" : ` comment "${commentText(provenanceText(element.cause))}"`;
  const data = element.data === undefined ? "" : ` : ${dataText(element.data)}`;
  return `${keyText(element.key)}${comment}${data}`;
}

/** A comment as the kernel keeps it: at most 127 bytes, nothing that ends nft's string. */
export function commentText(text: string): string {
  return text.replaceAll(/["\\\n]/g, "'").slice(0, commentBytes);
}

function renderChain(chain: Chain, family: Family): string[] {
  return [`\tchain ${chain.name} {`, ...chainLines(chain, family), "\t}"];
}

/** The lines between the braces of a chain. */
export function chainLines(chain: Chain, family: Family): string[] {
  const base = chain.base === undefined ? [] : [`\t\t${baseText(chain.base)}`];
  return [...base, ...chain.rules.map((rule) => `\t\t${ruleText(rule, family)}`)];
}

export function baseText(base: BaseHook): string {
  return `type ${base.type} hook ${base.hook} priority ${base.priority}; policy accept;`;
}

export function ruleText(rule: Rule, family: Family): string {
  const statements = rule.statements.map((statement) => statementText(statement, family)).join(" ");
  return rule.comment === undefined ? statements : `${statements} comment "${commentText(rule.comment)}"`;
}

function statementText(statement: Statement, family: Family): string {
  if (statement.kind === "compare") return compareText(statement, family);
  if (statement.kind === "one-of") return oneOfText(statement, family);
  if (statement.kind === "assign") return assignText(statement, family);
  if (statement.kind === "masquerade") return "masquerade fully-random";
  if (statement.kind === "snat") return `snat ${family} to ${statement.address} fully-random`;
  if (statement.kind === "dynamic") return dynamicText(statement, family);
  if (statement.kind === "reject") return rejectTexts[statement.with];
  if (statement.kind === "verdict") return verdictText(statement.verdict);
  const key = fieldsText(statement.key, family);
  if (statement.kind === "in-set") return `${key} ${statement.isNegated ? "!= " : ""}@${statement.set}`;
  if (statement.kind === "verdict-map") return `${key} vmap @${statement.map}`;
  // nft wants to know of the protocol's ports before it translates one.
  return `meta l4proto { tcp, udp, sctp } dnat ${family} to ${key} map @${statement.map}`;
}

function oneOfText({ field, values, isNegated }: OneOf, family: Family): string {
  return `${fieldText(field, family)} ${isNegated ? "!= " : ""}{ ${values.join(", ")} }`;
}

const rejectTexts: Readonly<Record<Reject["with"], string>> = {
  "tcp reset": "meta l4proto tcp reject with tcp reset",
  "icmp port-unreachable": "reject",
};

function compareText({ field, operator, value, mask }: Compare, family: Family): string {
  const isNegated = operator === "!=";
  if (field === "ct status") return `ct status ${isNegated ? "! " : ""}${value}`;
  const masked = mask === undefined ? "" : ` & ${hex(mask)}`;
  const sign = isNegated ? "!= " : mask === undefined ? "" : "== ";
  return `${fieldText(field, family)}${masked} ${sign}${field === "iifname" ? `"${value}"` : value}`;
}

function assignText({ target, to }: Assign, family: Family): string {
  const set = `${fieldText(target, family)} set`;
  if ("constant" in to) return `${set} ${to.constant}`;
  if ("randomBelow" in to) return `${set} numgen random mod ${to.randomBelow}`;
  if ("orWith" in to) return `${set} ${fieldText(target, family)} | ${hex(to.orWith)}`;
  return `${set} ${fieldsText(to.key, family)} map @${to.map}`;
}

function dynamicText(
  { operation, set, key, data, timeoutSeconds, hasCounter }: DynamicElement,
  family: Family,
): string {
  const timeout = timeoutSeconds === undefined ? "" : ` timeout ${timeoutSeconds}s`;
  const value = data === undefined ? "" : ` : ${fieldText(data, family)}`;
  return `${operation} @${set} { ${fieldsText(key, family)}${timeout}${hasCounter ? " counter" : ""}${value} }`;
}

function fieldsText(fields: readonly Field[], family: Family): string {
  return fields.map((field) => fieldText(field, family)).join(" . ");
}

const fieldTexts: Readonly<Partial<Record<Field, string>>> = {
  "saddr-low-96": "@nh,96,96",
  l4proto: "meta l4proto",
  mark: "meta mark",
  sport: "th sport",
  dport: "th dport",
  "fib saddr iif": "fib saddr . iif oif",
};

function fieldText(field: Field, family: Family): string {
  if (field === "saddr" || field === "daddr") return `${family} ${field}`;
  return fieldTexts[field] ?? field;
}

function hex(mask: number): string {
  return `0x${mask.toString(16).padStart(8, "0")}`;
}

function byText(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
