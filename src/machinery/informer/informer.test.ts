import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubernetesObject, ObjectList, Resource, WatchEvent } from "../../api/object.ts";
import { FakeClock, settle } from "../fake-clock.ts";
import { silentLogger } from "../log.ts";
import { createInformer } from "./informer.ts";
import type { Informer } from "./informer.ts";
import type { ListWatch } from "./list-watch.ts";

interface Thing extends KubernetesObject {
  readonly color?: string;
}
const things: Resource<Thing> = { group: "", version: "v1", plural: "things", kind: "Thing", isNamespaced: true };

function thing(name: string, resourceVersion: string, rest: { color?: string; uid?: string } = {}): Thing {
  const { uid = `uid-${name}`, ...fields } = rest;
  return { ...fields, metadata: { namespace: "default", name, uid, resourceVersion } };
}

const noop = (): void => undefined;

/** A server of which the test is the hand: it sets what the list answers and sends events into the open watch. */
class ScriptedSource implements ListWatch {
  items: Thing[] = [];
  version = "10";
  listError: Error | undefined;
  lists = 0;
  readonly watchedFrom: (string | undefined)[] = [];
  #send: ((event: WatchEvent<Thing> | "end") => void) | undefined;

  list<T extends KubernetesObject>(): Promise<ObjectList<T>> {
    this.lists += 1;
    if (this.listError !== undefined) return Promise.reject(this.listError);
    return Promise.resolve({ metadata: { resourceVersion: this.version }, items: this.items as unknown as T[] });
  }

  async *watch<T extends KubernetesObject>(
    _resource: Resource<T>,
    { resourceVersion, signal }: { readonly resourceVersion?: string; readonly signal: AbortSignal },
  ): AsyncIterable<WatchEvent<T>> {
    this.watchedFrom.push(resourceVersion);
    const events: (WatchEvent<Thing> | "end")[] = [];
    let wake = noop;
    this.#send = (event) => {
      events.push(event);
      wake();
    };
    signal.addEventListener("abort", () => this.#send?.("end"));
    for (;;) {
      const event = events.shift();
      if (event === "end") return;
      if (event !== undefined) yield event as unknown as WatchEvent<T>;
      else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  }

  async send(event: WatchEvent<Thing> | "end"): Promise<void> {
    this.#send?.(event);
    await settle();
  }
}

async function start(source: ScriptedSource) {
  const clock = new FakeClock();
  const changes: string[] = [];
  const informer: Informer<Thing, "color"> = createInformer({
    source,
    resource: things,
    clock,
    log: silentLogger,
    random: () => 0,
    indexes: { color: (object: Thing) => (object.color === undefined ? [] : [object.color]) },
  });
  informer.onChange(({ key, current, previous }) => {
    changes.push(`${key} ${previous?.metadata?.resourceVersion ?? "-"}>${current?.metadata?.resourceVersion ?? "-"}`);
  });
  const stop = new AbortController();
  const running = informer.run(stop.signal);
  await settle();
  return {
    informer,
    clock,
    /** The changes since the last call. */
    changes: () => changes.splice(0),
    stop: async () => {
      stop.abort();
      await running;
    },
  };
}

test("an informer lists, is ready, and follows the watch from the list's version", async () => {
  const source = new ScriptedSource();
  source.items = [thing("a", "3")];
  const { informer, changes, stop } = await start(source);
  await informer.ready;
  assert.deepEqual(source.watchedFrom, ["10"]);
  assert.deepEqual(changes(), ["default/a ->3"]);
  await source.send({ type: "ADDED", object: thing("b", "11") });
  await source.send({ type: "MODIFIED", object: thing("a", "12") });
  await source.send({ type: "DELETED", object: thing("b", "13") });
  assert.deepEqual(changes(), ["default/b ->11", "default/a 3>12", "default/b 11>-"]);
  assert.equal(informer.store.size, 1);
  await stop();
});

test("an informer resumes a watch that ended from the last bookmark, without listing", async () => {
  const source = new ScriptedSource();
  const { clock, stop } = await start(source);
  await source.send({ type: "BOOKMARK", object: { metadata: { resourceVersion: "40" } } });
  await source.send("end");
  await clock.advance(1000);
  assert.deepEqual(source.watchedFrom, ["10", "40"]);
  assert.equal(source.lists, 1);
  await stop();
});

test("an informer answers 410 Gone with a list and reports only what differs", async () => {
  const source = new ScriptedSource();
  source.items = [thing("same", "1"), thing("changed", "2"), thing("gone", "3")];
  const { changes, stop } = await start(source);
  changes();
  source.items = [thing("same", "1"), thing("changed", "20"), thing("new", "21")];
  source.version = "30";
  await source.send({ type: "ERROR", object: { code: 410, reason: "Expired" } });
  assert.deepEqual(changes(), ["default/changed 2>20", "default/new ->21", "default/gone 3>-"]);
  assert.deepEqual(source.watchedFrom, ["10", "30"]);
  await stop();
});

test("an informer reports an object made anew under its name as removed and added", async () => {
  const source = new ScriptedSource();
  source.items = [thing("a", "3", { uid: "first" })];
  const { changes, stop } = await start(source);
  changes();
  await source.send({ type: "MODIFIED", object: thing("a", "12", { uid: "second" }) });
  assert.deepEqual(changes(), ["default/a 3>-", "default/a ->12"]);
  await stop();
});

test("an informer waits longer after each failed try and recovers", async () => {
  const source = new ScriptedSource();
  source.listError = new Error("connection refused");
  const { informer, clock, stop } = await start(source);
  await clock.advance(1000);
  // At 0, 25, 56, 95, 144, 205, 282, 377, 496, 646 and 832 ms.
  assert.equal(source.lists, 11);
  source.listError = undefined;
  await clock.advance(1000);
  await informer.ready;
  await stop();
});

test("an informer does not spin where the server ends each watch at once", async () => {
  const source = new ScriptedSource();
  const { clock, stop } = await start(source);
  for (let watch = 0; watch < 5; watch += 1) await source.send("end");
  assert.equal(source.watchedFrom.length, 1);
  await clock.advance(25);
  assert.equal(source.watchedFrom.length, 2);
  await stop();
});

test("an informer keeps its indexes with each change", async () => {
  const source = new ScriptedSource();
  source.items = [thing("a", "1", { color: "red" }), thing("b", "2", { color: "red" })];
  const { informer, stop } = await start(source);
  assert.equal(informer.store.byIndex("color", "red").length, 2);
  await source.send({ type: "MODIFIED", object: thing("a", "11", { color: "blue" }) });
  await source.send({ type: "DELETED", object: thing("b", "12", { color: "red" }) });
  assert.equal(informer.store.byIndex("color", "red").length, 0);
  assert.deepEqual(
    informer.store.byIndex("color", "blue").map((object) => object.metadata?.name),
    ["a"],
  );
  await stop();
});

test("an informer's objects cannot be changed", async () => {
  const source = new ScriptedSource();
  source.items = [thing("a", "1")];
  const { informer, stop } = await start(source);
  const metadata = informer.store.get("default/a")?.metadata as { name: string };
  assert.throws(() => {
    metadata.name = "b";
  }, TypeError);
  await stop();
});

test("observe() brings an own write into the store before the watch, which then does not repeat it", async () => {
  const source = new ScriptedSource();
  const { informer, changes, stop } = await start(source);
  informer.observe(thing("a", "11"));
  await source.send({ type: "ADDED", object: thing("a", "11") });
  assert.deepEqual(changes(), ["default/a ->11"]);
  await stop();
});

test("observe() does not bring back what the watch has already seen deleted", async () => {
  const source = new ScriptedSource();
  const { informer, changes, stop } = await start(source);
  await source.send({ type: "ADDED", object: thing("a", "11") });
  await source.send({ type: "DELETED", object: thing("a", "12") });
  changes();
  informer.observe(thing("a", "11"));
  assert.deepEqual(changes(), []);
  assert.equal(informer.store.size, 0);
  await stop();
});

test("observe() while a new list is due: kept where the list is older, gone where it is newer and lacks it", async () => {
  const source = new ScriptedSource();
  const { informer, clock, changes, stop } = await start(source);
  source.listError = new Error("connection refused");
  await source.send({ type: "ERROR", object: { code: 410, reason: "Expired" } });
  informer.observe(thing("kept", "31"));
  informer.observe(thing("deleted since", "29"));
  assert.deepEqual(changes(), ["default/kept ->31", "default/deleted since ->29"]);
  source.listError = undefined;
  source.version = "30";
  await clock.advance(1000);
  assert.deepEqual(changes(), ["default/deleted since 29>-"]);
  await source.send({ type: "ADDED", object: thing("kept", "31") });
  assert.deepEqual(changes(), []);
  await stop();
});

test("a handler added late first gets what the store has", async () => {
  const source = new ScriptedSource();
  source.items = [thing("a", "1")];
  const { informer, stop } = await start(source);
  const seen: string[] = [];
  const unsubscribe = informer.onChange(({ key }) => seen.push(key));
  await source.send({ type: "ADDED", object: thing("b", "11") });
  unsubscribe();
  await source.send({ type: "ADDED", object: thing("c", "12") });
  assert.deepEqual(seen, ["default/a", "default/b"]);
  await stop();
});

test("ready rejects where the informer is stopped before its first list", async () => {
  const source = new ScriptedSource();
  source.listError = new Error("connection refused");
  const { informer, stop } = await start(source);
  await stop();
  await assert.rejects(informer.ready, /was stopped before its first list/);
});
