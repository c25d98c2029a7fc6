/** What every `Nftables` must do; its tests call this. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  diffRuleSets,
  emptyTransaction,
  keyText,
  setPath,
  type Element,
  type RuleSet,
  type Skeleton,
  type Transaction,
} from "../../model/rules/index.ts";
import type { Nftables } from "./nftables.ts";
import { NftablesError } from "./nftables-error.ts";

export interface NftablesContract {
  /** A fresh one over rules that hold nothing. */
  open(): Nftables;
  /** Changes elements behind its back. */
  interfere(nftables: Nftables, ruleSet: RuleSet, transaction: Transaction): void;
}

export function testNftablesContract(name: string, contract: NftablesContract): void {
  const withRules = (text: string, work: (nftables: Nftables) => void): void => {
    test(`${name} ${text}`, () => {
      const nftables = contract.open();
      try {
        work(nftables);
      } finally {
        nftables.remove(ruleSet([]));
        nftables.close();
      }
    });
  };

  withRules("holds what was synced, and finds nothing to do the second time", (nftables) => {
    const rules = ruleSet([port(80, 1), port(443, 2), range("10.0.0.0/8"), address("10.96.0.1")]);
    assert.deepEqual(nftables.sync(rules).replacedTables, ["ip contract"]);
    assert.deepEqual(held(nftables), heldBy(rules));
    const again = nftables.sync(rules);
    assert.deepEqual(again, { replacedTables: [], addedElements: 0, removedElements: 0, removedChains: [] });
  });

  withRules("keeps the comments that name causes", (nftables) => {
    nftables.sync(ruleSet([port(80, 1)]));
    const declaration = skeleton.sets.get("ports");
    assert.ok(declaration !== undefined);
    assert.equal(nftables.readElements("ip", "contract", declaration)[0]?.comment, "Service default/web port 80");
  });

  withRules("applies a difference", (nftables) => {
    const before = ruleSet([port(80, 1), port(443, 2)]);
    const after = ruleSet([port(80, 3), range("192.168.0.0/16"), address("10.96.0.2")]);
    nftables.sync(before);
    nftables.apply(diffRuleSets(before, after));
    assert.deepEqual(held(nftables), heldBy(after));
  });

  withRules("refuses as a whole what contradicts the rules", (nftables) => {
    const rules = ruleSet([port(80, 1)]);
    nftables.sync(rules);
    const contradiction = { ...emptyTransaction, addedElements: [port(81, 1), port(80, 2)] };
    assert.throws(
      () => nftables.apply(contradiction),
      (error) => error instanceof NftablesError && error.code === "EEXIST",
    );
    const absent = { ...emptyTransaction, addedElements: [port(81, 1)], removedElements: [port(90, 1)] };
    assert.throws(
      () => nftables.apply(absent),
      (error) => error instanceof NftablesError && error.code === "ENOENT",
    );
    assert.deepEqual(held(nftables), heldBy(rules));
  });

  withRules("notices what others change, and puts it back", (nftables) => {
    const rules = ruleSet([port(80, 1), port(443, 2)]);
    nftables.sync(rules);
    assert.equal(nftables.hasForeignChange(), false);
    nftables.apply({ ...emptyTransaction, addedElements: [address("10.96.0.9")] });
    assert.equal(nftables.hasForeignChange(), false);
    contract.interfere(nftables, ruleSet([port(80, 1), port(443, 2), address("10.96.0.9")]), {
      ...emptyTransaction,
      removedElements: [port(80, 1)],
      addedElements: [port(99, 9)],
    });
    assert.equal(nftables.hasForeignChange(), true);
    const report = nftables.sync(rules);
    assert.deepEqual([report.addedElements, report.removedElements, report.replacedTables], [1, 2, []]);
    assert.deepEqual(held(nftables), heldBy(rules));
    assert.equal(nftables.hasForeignChange(), false);
  });

  withRules("takes changes larger than one message of the kernel", (nftables) => {
    const many = ruleSet(Array.from({ length: 9000 }, (_, index) => port(index + 1, index)));
    nftables.sync(many);
    assert.deepEqual(held(nftables), heldBy(many));
    const other = ruleSet(Array.from({ length: 9000 }, (_, index) => port(index + 5000, 1)));
    nftables.apply(diffRuleSets(many, other));
    assert.deepEqual(held(nftables), heldBy(other));
  });

  withRules("holds nothing once removed, and removes twice without complaint", (nftables) => {
    nftables.sync(ruleSet([port(80, 1)]));
    nftables.remove(ruleSet([]));
    nftables.remove(ruleSet([]));
    assert.deepEqual(held(nftables), []);
  });
}

const skeleton: Skeleton = {
  family: "ip",
  table: "contract",
  sets: new Map(
    (
      [
        { name: "ports", key: ["protocol", "port"], data: ["mark"] },
        { name: "ranges", key: ["mark", "address"], flags: ["interval"] },
        { name: "addresses", key: ["address"], data: "verdict" },
      ] as const
    ).map((declaration) => [declaration.name, declaration]),
  ),
  chains: new Map([["target", { name: "target", rules: [] }]]),
};

function ruleSet(elements: readonly Element[]): RuleSet {
  return {
    skeletons: [skeleton],
    parts: new Map(elements.map((element) => [`${setPath(element)} ${keyText(element.key)}`, [element]])),
  };
}

const place = { family: "ip", table: "contract" } as const;

function port(number: number, mark: number): Element {
  const cause = { kind: "Service", namespace: "default", name: "web", detail: `port ${number}` };
  return { ...place, set: "ports", key: ["tcp", number], data: { values: [mark] }, cause };
}

function range(cidr: string): Element {
  return { ...place, set: "ranges", key: [7, cidr], cause: { kind: "Service", name: "web" } };
}

function address(text: string): Element {
  const data = { verdict: { kind: "goto", chain: "target" } } as const;
  return { ...place, set: "addresses", key: [text], data, cause: { kind: "Service", name: "web" } };
}

function heldBy(rules: RuleSet): readonly string[] {
  return [...rules.parts.values()]
    .flat()
    .map(({ set, key, data }) => entryText(set, { key, data }))
    .toSorted();
}

function held(nftables: Nftables): readonly string[] {
  return [...skeleton.sets.values()]
    .flatMap((declaration) =>
      nftables
        .readElements("ip", "contract", declaration)
        .map(({ key, data }) => entryText(declaration.name, { key, data })),
    )
    .toSorted();
}

function entryText(
  set: string,
  { key, data }: { readonly key: Element["key"]; readonly data: Element["data"] },
): string {
  return `${set} ${keyText(key)} ${JSON.stringify(data ?? "")}`;
}
