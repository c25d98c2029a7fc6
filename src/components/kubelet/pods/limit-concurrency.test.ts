import assert from "node:assert/strict";
import { test } from "node:test";
import { limitConcurrency } from "./limit-concurrency.ts";

function jobs(most: number) {
  const limit = limitConcurrency(most);
  const begun: string[] = [];
  const ends = new Map<string, PromiseWithResolvers<void>>();
  const add = (name: string, priority?: number): Promise<void> => {
    const end = Promise.withResolvers<void>();
    ends.set(name, end);
    return limit(async () => {
      begun.push(name);
      await end.promise;
    }, priority);
  };
  const end = async (name: string): Promise<void> => {
    ends.get(name)?.resolve();
    await new Promise((resolve) => void setImmediate(resolve));
  };
  return { begun, ends, add, end };
}

test("limitConcurrency() begins the next when one has ended, in the order in which they came", async () => {
  const { begun, add, end } = jobs(2);
  const all = ["a", "b", "c", "d"].map((name) => add(name));
  assert.deepEqual(begun, ["a", "b"]);
  for (const name of ["b", "a", "c", "d"]) await end(name);
  assert.deepEqual(begun, ["a", "b", "c", "d"]);
  await Promise.all(all);
});

test("limitConcurrency() prefers the higher priority among those that wait", async () => {
  const { begun, add, end } = jobs(1);
  const all = [add("running"), add("low"), add("high", 2000), add("middle", 10), add("also high", 2000)];
  for (const name of ["running", "high", "also high", "middle", "low"]) await end(name);
  assert.deepEqual(begun, ["running", "high", "also high", "middle", "low"]);
  await Promise.all(all);
});

test("limitConcurrency() passes the place on when the work fails", async () => {
  const { begun, add, ends, end } = jobs(1);
  const failing = add("a");
  const next = add("b");
  ends.get("a")?.reject(new Error("refused"));
  await assert.rejects(failing, /refused/);
  await end("b");
  await next;
  assert.deepEqual(begun, ["a", "b"]);
});
