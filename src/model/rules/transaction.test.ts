import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  diffRuleSets,
  emptyTransaction,
  isEmptyTransaction,
  layoutName,
  renderTransaction,
  splitTransaction,
  type Chain,
  type Element,
  type RuleSet,
  type Skeleton,
} from "./index.ts";

function skeleton(chains: readonly Chain[] = []): Skeleton {
  return {
    family: "ip",
    table: "test",
    sets: new Map([["ports", { name: "ports", key: ["port"], data: ["mark"] }]]),
    chains: new Map(chains.map((chain) => [chain.name, chain])),
  };
}

function port(number: number, mark: number): Element {
  const cause = { kind: "Service", namespace: "default", name: 'quoted "web"' };
  return { family: "ip", table: "test", set: "ports", key: [number], data: { values: [mark] }, cause };
}

function ruleSet(parts: Readonly<Record<string, readonly Element[]>>, chains: readonly Chain[] = []): RuleSet {
  return { skeletons: [skeleton(chains)], parts: new Map(Object.entries(parts)) };
}

const plain: Chain = { name: "plain", rules: [{ statements: [{ kind: "verdict", verdict: { kind: "accept" } }] }] };
const hooked: Chain = { name: "hooked", base: { type: "filter", hook: "input", priority: 0 }, rules: [] };

describe("diffRuleSets()", () => {
  test("finds nothing between equal rule sets that share no object", () => {
    const make = () => ruleSet({ web: [port(80, 1)] }, [plain, hooked]);
    assert.ok(isEmptyTransaction(diffRuleSets(make(), make())));
  });

  test("leaves an element alone that moves from one part to another", () => {
    assert.ok(isEmptyTransaction(diffRuleSets(ruleSet({ web: [port(80, 1)] }), ruleSet({ api: [port(80, 1)] }))));
  });

  test("replaces an element whose value changes, and quotes its cause safely", () => {
    assert.equal(
      renderTransaction(diffRuleSets(ruleSet({ web: [port(80, 1)] }), ruleSet({ web: [port(80, 2)] }))),
      "delete element ip test ports { 80 : 1 }\nadd element ip test ports { 80 comment \"Service default/quoted 'web'\" : 2 }\n",
    );
  });

  test("adds chains before elements and deletes them after", () => {
    const text = renderTransaction(
      diffRuleSets(ruleSet({}, [plain]), ruleSet({ web: [port(80, 1)] }, [{ ...plain, name: "other" }])),
    );
    assert.deepEqual(
      text.split("\n").map((line) => line.split(" ").slice(0, 2).join(" ")),
      ["add chain", "add rule", "add element", "flush chain", "delete chain", ""],
    );
  });

  test("fills a chain anew whose rules change, and makes the table anew where a hook changes", () => {
    const refilled = diffRuleSets(ruleSet({}, [plain]), ruleSet({}, [{ ...plain, rules: [] }]));
    assert.deepEqual(
      refilled.chains.map(({ kind }) => kind),
      ["refill-chain"],
    );
    const moved = { ...hooked, base: { type: "filter", hook: "input", priority: 5 } } as const;
    const replaced = diffRuleSets(ruleSet({ web: [port(80, 1)] }, [hooked]), ruleSet({ web: [port(80, 1)] }, [moved]));
    assert.equal(replaced.replacedTables.length, 1);
    assert.deepEqual(replaced.addedElements, [port(80, 1)]);
    assert.notEqual(layoutName(skeleton([hooked])), layoutName(skeleton([moved])));
  });

  test("removes a table that is no longer planned", () => {
    const removed = diffRuleSets(ruleSet({ web: [port(80, 1)] }), { skeletons: [], parts: new Map() });
    assert.equal(renderTransaction(removed), "delete table ip test\n");
  });
});

describe("splitTransaction()", () => {
  test("keeps the two halves of a replacement together, and removes last what others may point to", () => {
    const steps = splitTransaction(
      {
        ...emptyTransaction,
        removedElements: [port(1, 1), port(2, 1), port(9, 1)],
        addedElements: [port(1, 2), port(2, 2), port(3, 2)],
      },
      2,
    );
    const keys = (elements: readonly Element[]): readonly unknown[] => elements.flatMap(({ key }) => key);
    assert.deepEqual(
      steps.map(({ removedElements, addedElements }) => [keys(removedElements), keys(addedElements)]),
      [
        [
          [1, 2],
          [1, 2],
        ],
        [[], [3]],
        [[9], []],
      ],
    );
  });

  test("makes nothing of nothing", () => assert.deepEqual(splitTransaction(emptyTransaction, 10), []));
});
