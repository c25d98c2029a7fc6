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
  type Value,
} from "./rule-set.ts";
import type { Assign, DynamicElement, Field, Statement } from "./statement.ts";

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
    lines.push(`add table ${name}`, `delete table ${name}`, `table ${name} {`);
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
    const sorted = elements.map((element) => elementText(element)).toSorted(compareText);
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
  switch (type) {
    case "address":
      return family === "ip" ? "ipv4_addr" : "ipv6_addr";
    case "protocol":
      return "inet_proto";
    case "port":
      return "inet_service";
    case "mark":
      return "mark";
    case "source-low-96":
      throw new Error("Cannot name the type of source-low-96: nft only knows it by typeof");
  }
}

/** For keys that no `type` can name: nft infers them from an expression. */
function typeofName(type: FieldType): string {
  switch (type) {
    case "source-low-96":
      return "@nh,96,96";
    case "mark":
      return "meta mark";
    case "address":
    case "protocol":
    case "port":
      throw new Error(`Cannot combine ${type} with source-low-96 in one key`);
  }
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
  switch (statement.kind) {
    case "compare": {
      const { field, operator, value, mask } = statement;
      if (field === "ct status") return `ct status ${operator === "==" ? "" : "! "}${value}`;
      const masked = mask === undefined ? "" : ` & ${hex(mask)}`;
      const sign = operator === "!=" ? "!= " : mask === undefined ? "" : "== ";
      return `${fieldText(field, family)}${masked} ${sign}${valueText(field, value)}`;
    }
    case "one-of":
      return `${fieldText(statement.field, family)} { ${statement.values.join(", ")} }`;
    case "in-set":
      return `${fieldsText(statement.key, family)} ${statement.isNegated ? "!= " : ""}@${statement.set}`;
    case "assign":
      return `${fieldText(statement.target, family)} set ${assignedText(statement, family)}`;
    case "verdict-map":
      return `${fieldsText(statement.key, family)} vmap @${statement.map}`;
    case "dnat":
      return `meta l4proto { tcp, udp, sctp } dnat ${family} to ${fieldsText(statement.key, family)} map @${statement.map}`;
    case "masquerade":
      return "masquerade fully-random";
    case "snat":
      return `snat ${family} to ${statement.address} fully-random`;
    case "dynamic":
      return dynamicText(statement, family);
    case "reject":
      return statement.with === "tcp reset" ? "meta l4proto tcp reject with tcp reset" : "reject";
    case "verdict":
      return verdictText(statement.verdict);
  }
}

function assignedText({ target, to }: Assign, family: Family): string {
  if ("constant" in to) return String(to.constant);
  if ("randomBelow" in to) return `numgen random mod ${to.randomBelow}`;
  if ("orWith" in to) return `${fieldText(target, family)} | ${hex(to.orWith)}`;
  return `${fieldsText(to.key, family)} map @${to.map}`;
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

function fieldText(field: Field, family: Family): string {
  switch (field) {
    case "saddr":
    case "daddr":
      return `${family} ${field}`;
    case "saddr-low-96":
      return "@nh,96,96";
    case "l4proto":
    case "mark":
      return `meta ${field}`;
    case "sport":
    case "dport":
      return `th ${field}`;
    case "fib saddr iif":
      return "fib saddr . iif oif";
    case "ct mark":
    case "ct state":
    case "ct direction":
    case "ct status":
    case "iifname":
    case "fib saddr type":
    case "fib daddr type":
      return field;
  }
}

function valueText(field: Field, value: Value): string {
  if (field === "iifname") return `"${value}"`;
  return String(value);
}

function hex(mask: number): string {
  return `0x${mask.toString(16).padStart(8, "0")}`;
}

function compareText(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
