import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseIpAddress } from "../../lib/ip/index.ts";
import {
  createWalker,
  type Chain,
  type Element,
  type RuleSet,
  type SetDeclaration,
  type Statement,
  type WalkEnvironment,
  type WalkResult,
} from "./index.ts";

const accept: Statement = { kind: "verdict", verdict: { kind: "accept" } };
const drop: Statement = { kind: "verdict", verdict: { kind: "drop" } };
const goBack: Statement = { kind: "verdict", verdict: { kind: "return" } };
const to = (kind: "goto" | "jump", name: string): Statement => ({ kind: "verdict", verdict: { kind, chain: name } });
const mark = (constant: number): Statement => ({ kind: "assign", target: "ct mark", to: { constant } });
const tcp: Statement = { kind: "compare", field: "l4proto", operator: "==", value: "tcp" };
const udp: Statement = { kind: "compare", field: "l4proto", operator: "==", value: "udp" };

function chain(name: string, rules: readonly (readonly Statement[])[], base?: Chain["base"]): Chain {
  return { name, rules: rules.map((statements) => ({ statements })), ...(base === undefined ? {} : { base }) };
}

function hook(name: string, priority: number, rules: readonly (readonly Statement[])[]): Chain {
  return chain(name, rules, { type: "filter", hook: "prerouting", priority });
}

function walk(
  chains: readonly Chain[],
  options: { sets?: readonly SetDeclaration[]; elements?: readonly Element[] } = {},
): WalkResult {
  const ruleSet: RuleSet = {
    skeletons: [
      {
        family: "ip",
        table: "test",
        sets: new Map((options.sets ?? []).map((set) => [set.name, set])),
        chains: new Map(chains.map((one) => [one.name, one])),
      },
    ],
    parts: new Map([["elements", options.elements ?? []]]),
  };
  const environment: WalkEnvironment = {
    addressType: () => "unicast",
    masqueradeAddress: () => parseIpAddress("10.0.0.1"),
  };
  return createWalker(ruleSet, environment).walk({
    packet: {
      family: "ip",
      source: parseIpAddress("10.1.2.3"),
      destination: parseIpAddress("10.9.9.9"),
      protocol: "tcp",
      sourcePort: 40_000,
      destinationPort: 80,
    },
    interfaceName: "eth0",
  });
}

describe("a packet's walk", () => {
  test("goes on behind a jump, and not behind a goto", () => {
    const target = chain("target", [[mark(1)]]);
    assert.equal(walk([hook("in", 0, [[to("jump", "target")], [drop]]), target]).verdict, "drop");
    assert.equal(walk([hook("in", 0, [[to("goto", "target")], [drop]]), target]).verdict, "accept");
  });

  test("returns to where a goto's caller was jumped from", () => {
    const chains = [
      hook("in", 0, [[to("jump", "first")], [mark(7)]]),
      chain("first", [[to("goto", "second")], [drop]]),
      chain("second", [[goBack], [drop]]),
    ];
    assert.deepEqual([walk(chains).verdict, walk(chains).connectionMark], ["accept", 7]);
  });

  test("ends a rule at the first condition that does not hold, and tells only what was carried out", () => {
    const result = walk([hook("in", 0, [[udp, drop], [tcp, mark(3), udp, drop], [tcp]])]);
    assert.equal(result.connectionMark, 3);
    assert.deepEqual(
      result.steps.map(({ index }) => index),
      [1],
    );
  });

  test("meets chains of one hook by priority, and an accept ends only its own chain", () => {
    const late = hook("late", 10, [[drop]]);
    const early = hook("early", -10, [[mark(5), accept], [mark(6)]]);
    const result = walk([late, early]);
    assert.deepEqual([result.verdict, result.connectionMark, result.hook], ["drop", 5, "prerouting"]);
  });

  test("finds intervals, and names the element", () => {
    const sets: readonly SetDeclaration[] = [{ name: "nets", key: ["mark", "address"], flags: ["interval"] }];
    const rule: readonly Statement[] = [{ kind: "in-set", key: ["ct mark", "saddr"], set: "nets" }, drop];
    const element = (cidr: string): Element => ({
      family: "ip",
      table: "test",
      set: "nets",
      key: [0, cidr],
      cause: { kind: "Service", namespace: "default", name: cidr },
    });
    assert.equal(walk([hook("in", 0, [rule])], { sets, elements: [element("10.2.0.0/16")] }).verdict, "accept");
    const result = walk([hook("in", 0, [rule])], { sets, elements: [element("10.2.0.0/16"), element("10.1.0.0/16")] });
    assert.equal(result.verdict, "drop");
    assert.equal(result.steps[0]?.elements[0]?.cause.name, "10.1.0.0/16");
  });

  test("breaks a rule whose map has no answer, before it changes anything", () => {
    const sets: readonly SetDeclaration[] = [{ name: "map", key: ["port"], data: ["mark"] }];
    const result = walk(
      [hook("in", 0, [[{ kind: "assign", target: "ct mark", to: { key: ["dport"], map: "map" } }, drop]])],
      { sets },
    );
    assert.deepEqual([result.verdict, result.connectionMark, result.steps], ["accept", 0, []]);
  });
});
