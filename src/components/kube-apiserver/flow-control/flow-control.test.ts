import assert from "node:assert/strict";
import { test } from "node:test";
import { autoUpdateAnnotation, suggestedLevels } from "../../../api/flowcontrol/index.ts";
import type { PriorityLevelConfiguration } from "../../../api/generated/types.ts";
import { withDangling } from "./dangling.ts";
import { revised, withExempt } from "./first-objects.ts";

const wanted = suggestedLevels.find(({ metadata }) => metadata?.name === "workload-low") ?? {};

function stored(says: string | undefined, generation = 2): PriorityLevelConfiguration {
  const annotations = says === undefined ? {} : { [autoUpdateAnnotation]: says };
  return { metadata: { name: "workload-low", generation, annotations }, spec: { type: "Limited", limited: {} } };
}

test("a suggested object is put back only while it is the server's, and says whose it is", () => {
  const cases: readonly (readonly [PriorityLevelConfiguration, boolean])[] = [
    [stored("true"), true],
    [stored("false"), false],
    [stored(undefined), false],
    [stored(undefined, 1), true],
    [stored("perhaps"), false],
  ];
  for (const [object, isOurs] of cases) {
    const { spec, metadata } = revised(object, { wanted, isMandatory: false });
    assert.equal(metadata?.annotations?.[autoUpdateAnnotation], String(isOurs));
    assert.equal(spec, isOurs ? wanted.spec : object.spec, JSON.stringify(object));
  }
  const settled = stored("false");
  assert.equal(revised(settled, { wanted, isMandatory: false }), settled);
});

test("a mandatory object is put back whatever it says", () => {
  const { spec, metadata } = revised(stored("false"), { wanted, isMandatory: true });
  assert.equal(spec, wanted.spec);
  assert.equal(metadata?.annotations?.[autoUpdateAnnotation], "true");
});

test("what the exempt level lends stays the administrator's", () => {
  const exempt: PriorityLevelConfiguration = { spec: { type: "Exempt", exempt: { lendablePercent: 0 } } };
  const changed: PriorityLevelConfiguration = { spec: { type: "Exempt", exempt: { lendablePercent: 50 } } };
  assert.deepEqual(withExempt(exempt, changed), changed);
  assert.equal(withExempt(wanted, changed), wanted);
});

test("a FlowSchema says once whether its level is there, and keeps other conditions", () => {
  const other = { type: "Other", status: "True" };
  const schema = { spec: { priorityLevelConfiguration: { name: "mine" } }, status: { conditions: [other] } };
  const told = withDangling(schema, { isThere: false, now: "2026-11-20T12:00:00Z" });
  const message =
    'This FlowSchema references the PriorityLevelConfiguration object named "mine" but there is no such object';
  const condition = { type: "Dangling", status: "True", reason: "NotFound", message };
  assert.deepEqual(told.status?.conditions, [other, { ...condition, lastTransitionTime: "2026-11-20T12:00:00Z" }]);
  assert.equal(withDangling(told, { isThere: false, now: "2026-11-20T12:01:00Z" }), told);
  const found = withDangling(told, { isThere: true, now: "2026-11-20T12:01:00Z" }).status?.conditions?.[1];
  assert.deepEqual([found?.status, found?.reason], ["False", "Found"]);
});
