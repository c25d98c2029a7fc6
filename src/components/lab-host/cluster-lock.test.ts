import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { systemClock } from "../../machinery/clock.ts";
import { type LockedCommand, withClusterLock } from "./cluster-lock.ts";

describe("withClusterLock()", () => {
  let runRoot = "";
  const children: ChildProcess[] = [];
  beforeEach(() => (runRoot = mkdtempSync(join(tmpdir(), "nl-lock-"))));
  afterEach(() => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
    rmSync(runRoot, { recursive: true });
  });

  const run = async <T>(command: LockedCommand, work: () => Promise<T>, signal = new AbortController().signal) =>
    await withClusterLock({ runRoot, name: "ci", command, clock: systemClock, signal }, work);
  /** Another process that holds the lock until it is told to end. */
  const holdElsewhere = async (command: LockedCommand): Promise<ChildProcess> => {
    const lock = new URL("cluster-lock.ts", import.meta.url).href;
    const clock = new URL("../../machinery/clock.ts", import.meta.url).href;
    const script = `
      const { withClusterLock } = await import(${JSON.stringify(lock)});
      const { systemClock } = await import(${JSON.stringify(clock)});
      const end = Promise.withResolvers();
      process.on("SIGTERM", end.resolve);
      const keepAlive = setInterval(() => {}, 1000);
      const options = { runRoot: ${JSON.stringify(runRoot)}, name: "ci", command: "${command}", clock: systemClock, signal: new AbortController().signal };
      await withClusterLock(options, async () => { console.log("held"); await end.promise; });
      clearInterval(keepAlive);`;
    const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    children.push(child);
    await once(child.stdout, "data");
    return child;
  };

  test("lets one at a time work, in this process and others, and leaves no file", async () => {
    const order: string[] = [];
    const first = run("down", async () => {
      order.push("first begins");
      await new Promise((resolve) => setImmediate(resolve));
      order.push("first ends");
    });
    await Promise.all([first, run("stop", async () => void order.push("second"))]);
    assert.deepEqual(order, ["first begins", "first ends", "second"]);
    assert.deepEqual(readdirSync(runRoot), []);
  });

  test("is free again when its holder fails, or is killed", async () => {
    await assert.rejects(
      run("down", async () => {
        throw new Error("no");
      }),
      /no/,
    );
    assert.deepEqual(readdirSync(runRoot), []);
    const killed = await holdElsewhere("up");
    killed.kill("SIGKILL");
    await once(killed, "exit");
    assert.equal(await run("start", async () => "ours"), "ours");
    assert.deepEqual(readdirSync(runRoot), []);
  });

  test("is not waited for where a cluster is being started, and the message says by whom", async () => {
    const { pid } = await holdElsewhere("up");
    const verbs = { up: "make", start: "start", stop: "stop", image: "change the images of" } as const;
    for (const command of ["up", "start", "stop", "image"] as const) {
      await assert.rejects(
        run(command, async () => undefined),
        {
          code: "ClusterBusy",
          message: `Cannot ${verbs[command]} the cluster "ci": "netloom up" (process ${pid}) is at work on it; wait for that, or end the cluster with "netloom down --name ci"`,
        },
      );
    }
  });

  test("is taken from a command that starts a cluster by one that ends it, and the other ends first", async () => {
    const child = await holdElsewhere("start");
    const ended = once(child, "exit");
    await run("down", async () => undefined);
    assert.deepEqual(await ended, [0, null]);
  });

  test("is waited for where it is soon free, until the waiting is interrupted", async () => {
    await holdElsewhere("stop");
    const interrupt = new AbortController();
    const waiting = run("down", async () => undefined, interrupt.signal);
    interrupt.abort(new Error("interrupted"));
    await assert.rejects(waiting, /interrupted/);
  });

  test("needs no folder to end what never was", async () => {
    const nowhere = join(runRoot, "netloom");
    const { signal } = new AbortController();
    const options = { runRoot: nowhere, name: "ci", command: "down", clock: systemClock, signal } as const;
    assert.equal(await withClusterLock(options, async () => 1), 1);
    assert.deepEqual(readdirSync(runRoot), []);
  });

  test("is taken although a file lies there that says nothing", async () => {
    writeFileSync(join(runRoot, ".ci.lock"), "{");
    assert.equal(await run("down", async () => 1), 1);
  });
});
