import assert from "node:assert/strict";
import { test } from "node:test";
import { createTurns } from "./turns.ts";

test("turns are taken in order, no two of them in one turn of the event loop", async () => {
  const turns = createTurns();
  let iteration = 0;
  let counting = setImmediate(function count() {
    iteration += 1;
    counting = setImmediate(count);
  });
  const taken: { readonly name: string; readonly iteration: number }[] = [];
  await Promise.all(
    ["a", "b", "c"].map(async (name) => {
      await turns();
      taken.push({ name, iteration });
    }),
  );
  clearImmediate(counting);
  assert.deepEqual(
    taken.map(({ name }) => name),
    ["a", "b", "c"],
  );
  assert.equal(new Set(taken.map((one) => one.iteration)).size, 3);
});
