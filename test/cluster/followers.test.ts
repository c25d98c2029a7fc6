/** What a person leaves running in a terminal goes on when the server is killed under it. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { eventually, labProcesses, makeLab } from "./lab/index.ts";
import { root } from "./lab/lab.ts";

const rounds = 4;
const eventsPerRound = 5;

interface Follower {
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>;
  stop(): void;
}

describe("followers", () => {
  const lab = makeLab();
  const started: Follower[] = [];
  before(async () => {
    const { code, stderr } = await lab.netloom(["up", "--nodes", "1"]);
    assert.equal(code, 0, stderr);
  });
  after(async () => {
    for (const follower of started) follower.stop();
    await lab.end();
  });

  const follow = (args: readonly string[]): Follower => {
    const child = spawn(process.execPath, [join(root, "bin/netloom.mjs"), ...args], { env: lab.env });
    const output = { stdout: "", stderr: "" };
    child.stdout.on("data", (chunk: Buffer) => (output.stdout += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (output.stderr += chunk.toString()));
    const follower: Follower = {
      stdout: () => output.stdout,
      stderr: () => output.stderr,
      ended: once(child, "close").then(([code]) => code as number | null),
      stop: () => child.kill("SIGTERM"),
    };
    started.push(follower);
    return follower;
  };
  const eventNames = (round: number): readonly string[] =>
    Array.from({ length: eventsPerRound }, (_, index) => `told-${round}-${index}`);
  const makeEvent = async (name: string): Promise<void> => {
    const event = {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name, namespace: "default" },
      involvedObject: { kind: "Pod", name, namespace: "default" },
      reason: "Told",
      message: name,
      type: "Normal",
    };
    await eventually(async () => {
      const { code, stderr } = await lab.kubectl(["create", "-f", "-"], { input: JSON.stringify(event) });
      // An answer may have been lost with the server that gave it.
      assert.ok(code === 0 || stderr.includes("AlreadyExists"), stderr);
    });
  };
  const killServer = (): void => {
    const server = labProcesses(lab).find(({ words }) => words.includes("server"));
    assert.ok(server !== undefined);
    process.kill(server.pid, "SIGKILL");
  };

  test("tell each event once and each line once, however often the server is killed", async () => {
    const events = follow(["events", "-w", "-o", "json"]);
    const lines = follow(["logs", "server", "-f", "-o", "json"]);
    await eventually(() => assert.match(events.stdout(), /^\[/));
    for (let round = 0; round < rounds; round += 1) {
      const [first = "", ...rest] = eventNames(round);
      await makeEvent(first);
      killServer();
      await Promise.all(rest.map(makeEvent));
    }
    const wanted = Array.from({ length: rounds }, (_, round) => eventNames(round)).flat();
    const timesTold = (name: string): number => events.stdout().split(`"message": "${name}"`).length - 1;
    await eventually(() =>
      assert.deepEqual(
        wanted.filter((name) => timesTold(name) === 0),
        [],
      ),
    );
    assert.deepEqual(
      wanted.filter((name) => timesTold(name) !== 1),
      [],
    );
    const versions = documents(events.stdout()).map(({ metadata }) => `${metadata.uid} ${metadata.resourceVersion}`);
    assert.deepEqual([...new Set(versions)], versions);
    assert.match(events.stderr(), /The API does not answer .*\nThe API answers again/);
    await eventually(() =>
      assert.equal(lines.stdout(), readFileSync(join(lab.folder, "s/netloom/netloom/logs/server.log"), "utf8")),
    );
    lines.stop();
    assert.equal(await lines.ended, 0);
  });

  test("of events end with the cluster, and say so", async () => {
    const events = follow(["events", "-w"]);
    await eventually(() => assert.match(events.stdout(), /LAST SEEN/));
    const { code, stderr } = await lab.netloom(["stop"]);
    assert.equal(code, 0, stderr);
    assert.equal(await events.ended, 0);
    assert.match(events.stderr(), /The cluster "netloom" does not run any more/);
  });
});

interface Told {
  readonly metadata: { readonly uid: string; readonly resourceVersion: string };
}

/** A list, and then a document each; only their last lines begin with a bracket and have nothing else. */
function documents(text: string): readonly Told[] {
  return text
    .split(/(?<=^[\]}]\n)/m)
    .filter((part) => part.trim() !== "")
    .flatMap((part) => JSON.parse(part) as Told | readonly Told[]);
}
