/** Routing rules, which choose the table: struct fib_rule_hdr and the FRA_ attributes (<linux/fib_rules.h>). */
import type { IpFamily } from "../../lib/ip/index.ts";
import { messageFlag, MessageWriter, readText, readU32, splitPayload } from "./wire.ts";

const ruleType = { new: 32, delete: 33, get: 34 } as const;

const attribute = { inLink: 3, priority: 6, table: 15, protocol: 21 } as const;
const toTable = 1;
const families: Readonly<Record<IpFamily, number>> = { IPv4: 2, IPv6: 10 };
const fixedLength = 12;

export interface RoutingRule {
  readonly family: IpFamily;
  /** Lower is asked first; the main table has 32766. */
  readonly priority: number;
  /** Only for packets that came in here; "lo" are those of the namespace's own processes. "" is any. */
  readonly inLink: string;
  readonly table: number;
  /** Who set it, as with routes. */
  readonly protocol: number;
}

export function encodeNewRule(rule: RoutingRule, sequence: number): Uint8Array {
  const flags = messageFlag.request | messageFlag.ack | messageFlag.create | messageFlag.exclusive;
  return write(new MessageWriter().begin(ruleType.new, flags, sequence), rule).finish();
}

export function encodeRuleDeletion(rule: RoutingRule, sequence: number): Uint8Array {
  const flags = messageFlag.request | messageFlag.ack;
  return write(new MessageWriter().begin(ruleType.delete, flags, sequence), rule).finish();
}

export function encodeRuleQuery(sequence: number): Uint8Array {
  const writer = new MessageWriter().begin(ruleType.get, messageFlag.request | messageFlag.dump, sequence);
  return writer.u32(0).u32(0).u32(0).finish();
}

/** Undefined for what is no rule that leads to a table. Throws `NetlinkDecodeError`. */
export function decodeRule(payload: Uint8Array): RoutingRule | undefined {
  const { fixed, attributes } = splitPayload(payload, fixedLength);
  const family = (["IPv4", "IPv6"] as const).find((name) => families[name] === fixed.getUint8(0));
  if (family === undefined || fixed.getUint8(7) !== toTable) return undefined;
  return {
    family,
    priority: readU32(attributes.get(attribute.priority)) ?? 0,
    inLink: readText(attributes.get(attribute.inLink)) ?? "",
    table: readU32(attributes.get(attribute.table)) ?? fixed.getUint8(4),
    protocol: attributes.get(attribute.protocol)?.[0] ?? 0,
  };
}

function write(writer: MessageWriter, rule: RoutingRule): MessageWriter {
  writer.u8(families[rule.family]).u8(0).u8(0).u8(0).u8(0).u8(0).u8(0).u8(toTable).u32(0);
  if (rule.inLink !== "") writer.attributeText(attribute.inLink, rule.inLink);
  return writer
    .attributeU32(attribute.priority, rule.priority)
    .attributeU32(attribute.table, rule.table)
    .attribute(attribute.protocol, Uint8Array.of(rule.protocol));
}
