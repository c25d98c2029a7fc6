/**
 * Chains of the simplest statements in nfnetlink's form (<linux/netfilter/nf_tables.h>): those that come and go with the
 * number of a service's endpoints. All else is left to libnftables, which reads every element before it adds a chain.
 */
import type { Chain, ChainOperation, Family } from "../../model/rules/index.ts";
import { subsystem, type Request } from "../nfnetlink/index.ts";
import { messageFlag, type MessageWriter } from "../rtnetlink/wire.ts";
import { dataAttribute, familyNumber, verdictAttribute, verdictCode } from "./element-codec.ts";

type Statement = Chain["rules"][number]["statements"][number];
type Expression = (writer: MessageWriter) => void;

const message = { newChain: 3, deleteChain: 5, newRule: 6, deleteRule: 8 } as const;
const chainAttribute = { table: 1, name: 3 } as const;
const ruleAttribute = { table: 1, chain: 2, expressions: 4 } as const;
const listItem = 1;
const expressionAttribute = { name: 1, data: 2 } as const;
/** The first 16-byte register, and the second 4 bytes of it under their own number. */
const register = { verdict: 0, first: 1, firstPart2: 9 } as const;
/** NFT_META_MARK and NFT_CT_MARK. */
const markKey = 3;
const randomNumber = 1;

/** Undefined where nft's language is needed. In the order given: additions belong before elements, deletions after. */
export function encodeChainOperation(operation: ChainOperation): readonly Request[] | undefined {
  const { family, table, chain, kind } = operation;
  const place = { family, table, chain: chain.name };
  if (kind === "delete-chain") return [onRules(message.deleteRule, place, []), onChain(message.deleteChain, place)];
  if (kind === "refill-chain" || chain.base !== undefined) return undefined;
  const rules: Request[] = [];
  for (const rule of chain.rules) {
    const expressions = rule.statements.map(encodeStatement);
    if (rule.comment !== undefined || !isComplete(expressions)) return undefined;
    rules.push(onRules(message.newRule, place, expressions.flat()));
  }
  return [onChain(message.newChain, place), ...rules];
}

function isComplete(
  expressions: readonly (readonly Expression[] | undefined)[],
): expressions is readonly Expression[][] {
  return !expressions.includes(undefined);
}

interface Place {
  readonly family: Family;
  readonly table: string;
  readonly chain: string;
}

function onChain(type: number, { family, table, chain }: Place): Request {
  return {
    type: (subsystem.nftables << 8) | type,
    flags: type === message.newChain ? messageFlag.create : 0,
    family: familyNumber[family],
    write: (writer) => {
      writer.attributeText(chainAttribute.table, table).attributeText(chainAttribute.name, chain);
    },
  };
}

/** Without expressions: all rules of the chain. */
function onRules(type: number, { family, table, chain }: Place, expressions: readonly Expression[]): Request {
  return {
    type: (subsystem.nftables << 8) | type,
    flags: type === message.newRule ? messageFlag.create | messageFlag.append : 0,
    family: familyNumber[family],
    write: (writer) => {
      writer.attributeText(ruleAttribute.table, table).attributeText(ruleAttribute.chain, chain);
      if (expressions.length === 0) return;
      writer.nested(ruleAttribute.expressions, () => {
        for (const write of expressions) writer.nested(listItem, () => write(writer));
      });
    },
  };
}

function encodeStatement(statement: Statement): readonly Expression[] | undefined {
  if (statement.kind === "verdict") {
    const { verdict } = statement;
    return "chain" in verdict && verdict.kind === "goto" ? [goTo(verdict.chain)] : undefined;
  }
  if (statement.kind !== "assign" || statement.target !== "mark") return undefined;
  const { to } = statement;
  if ("randomBelow" in to) return [random(to.randomBelow), storeMark];
  if ("map" in to && to.key.join() === "ct mark,mark") return [loadConnectionMark, loadMark, lookUp(to.map), storeMark];
  return undefined;
}

function expression(name: string, data: readonly (readonly [attribute: number, value: number | string])[]): Expression {
  return (writer) => {
    writer.attributeText(expressionAttribute.name, name).nested(expressionAttribute.data, () => {
      for (const [attribute, value] of data) {
        if (typeof value === "string") writer.attributeText(attribute, value);
        else writer.attribute(attribute, bigEndian(value));
      }
    });
  };
}

const random = (modulus: number): Expression =>
  expression("numgen", [
    [1, register.first],
    [2, modulus],
    [3, randomNumber],
    [4, 0],
  ]);
const storeMark = expression("meta", [
  [2, markKey],
  [3, register.first],
]);
const loadMark = expression("meta", [
  [2, markKey],
  [1, register.firstPart2],
]);
const loadConnectionMark = expression("ct", [
  [1, register.first],
  [2, markKey],
]);
const lookUp = (map: string): Expression =>
  expression("lookup", [
    [1, map],
    [2, register.first],
    [3, register.first],
  ]);

function goTo(chain: string): Expression {
  return (writer) => {
    writer.attributeText(expressionAttribute.name, "immediate").nested(expressionAttribute.data, () => {
      writer.attribute(1, bigEndian(register.verdict)).nested(2, () => {
        writer.nested(dataAttribute.verdict, () => {
          writer.attribute(verdictAttribute.code, bigEndian(verdictCode.goto));
          writer.attributeText(verdictAttribute.chain, chain);
        });
      });
    });
  };
}

function bigEndian(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}
