import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import {
  LabelSelectorError,
  labelsText,
  matchesLabels,
  matchesSelector,
  parseLabelSelector,
  selectorText,
  structuredSelectorText,
  subdomainMistakes,
} from "./index.ts";

const web = { app: "web", tier: "front", rank: "5" };

test("a selector's text chooses labels as upstream's", () => {
  const cases: readonly (readonly [string, boolean])[] = [
    ["", true],
    ["app", true],
    ["!app", false],
    ["app=web", true],
    ["app==web,tier!=back", true],
    ["app in (web, db)", true],
    ["app notin (web)", false],
    ["other notin (web)", true],
    ["rank>4,rank<6", true],
    ["rank>5", false],
    ["app=", false],
    ["none!=x", true],
  ];
  for (const [text, expected] of cases) assert.equal(matchesLabels(parseLabelSelector(text), web), expected, text);
});

test("parseLabelSelector() says what it found and what it wanted", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["a in", "unable to parse requirement: found '', expected: '('"],
    ["a,", "unable to parse requirement: found '', expected: identifier after ','"],
    ["a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
  ];
  for (const [text, message] of cases) {
    assert.throws(() => parseLabelSelector(text), { name: "LabelSelectorError", message }, text);
  }
});

test("parseLabelSelector() reads any text or throws, and reads back what it wrote", () => {
  const text = fc.oneof(fc.string(), fc.stringMatching(/^[a-c=!<>(), ]{0,12}$/));
  fc.assert(
    fc.property(text, (input) => {
      try {
        const selector = parseLabelSelector(input);
        assert.deepEqual(parseLabelSelector(selectorText(selector)), selector.map(sorted), input);
      } catch (error) {
        assert.ok(error instanceof LabelSelectorError, String(error));
      }
    }),
  );
});

function sorted<T extends { readonly values: readonly string[] }>(requirement: T): T {
  return { ...requirement, values: requirement.values.toSorted() };
}

test("structured selectors: absent chooses nothing, empty everything, and columns show them", () => {
  assert.equal(matchesSelector(undefined, web), false);
  assert.equal(matchesSelector({}, web), true);
  const selector = {
    matchLabels: { app: "web" },
    matchExpressions: [{ key: "tier", operator: "In", values: ["b", "a"] }],
  };
  assert.equal(matchesSelector(selector, web), false);
  assert.equal(structuredSelectorText(selector), "app=web,tier in (a,b)");
  assert.equal(structuredSelectorText({}), "<none>");
  assert.equal(labelsText({ b: "2", a: "1" }), "a=1,b=2");
});

test("subdomainMistakes() answers a hostile name at once", () => {
  assert.equal(subdomainMistakes(`${"a-".repeat(500_000)}!`).length, 2);
  assert.deepEqual(subdomainMistakes("example.com"), []);
});
