/**
 * Commands that meet: Ctrl-C at any instant of `up`, and `down` while anything else is at work on the cluster. Whatever
 * comes of it, in the end nothing is left. NETLOOM_INTERRUPTS says how many instants of `up` are tried (4); of the others a quarter.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually, makeLab } from "./lab/index.ts";
import { root } from "./lab/lab.ts";
import { patience } from "../patience.ts";

const instants = Number(process.env["NETLOOM_INTERRUPTS"] ?? "4");

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

describe("commands that meet", () => {
  const lab = makeLab();
  /** What a command takes here when nobody disturbs it. */
  const tookMs: Record<string, number> = {};

  /** In a process group of its own, as a shell's foreground job. */
  const begin = (args: readonly string[]): { readonly pid: number; readonly ended: Promise<Ended> } => {
    const child = spawn(process.execPath, [join(root, "bin/netloom.mjs"), ...args], {
      env: lab.env,
      detached: true,
      stdio: ["ignore", "ignore", "pipe"],
    });
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    const ended = once(child, "close").then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
      stderr,
    }));
    return { pid: child.pid ?? 0, ended };
  };
  const must = async (args: readonly string[]): Promise<void> => {
    const started = performance.now();
    const { code, stderr } = await begin(args).ended;
    assert.equal(code, 0, `netloom ${args.join(" ")}\n${stderr}`);
    tookMs[args[0] ?? ""] = performance.now() - started;
  };
  const filesIn = (folder: string): readonly string[] => (existsSync(folder) ? readdirSync(folder) : []);
  const processesOfLab = (): readonly string[] =>
    filesIn("/proc")
      .filter((name) => /^\d+$/.test(name))
      .flatMap((pid) => {
        try {
          const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
          return words.includes(lab.folder) ? [`${pid} ${words}`] : [];
        } catch {
          return [];
        }
      });
  const assertNothingLeft = async (what: string): Promise<void> => {
    assert.deepEqual(filesIn(join(lab.folder, "s/netloom")), [], what);
    assert.deepEqual(filesIn(join(lab.folder, "r/netloom")), [], what);
    assert.equal(existsSync(join(lab.folder, "kubeconfig")), false, what);
    // The kernel may still be at it.
    await eventually(() => assert.deepEqual(processesOfLab(), [], what), { timeoutMs: 2000 });
    assert.doesNotMatch(readFileSync("/proc/self/mounts", "utf8"), new RegExp(lab.folder), what);
  };

  before(async () => {
    await must(["up", "--nodes", "1"]);
    await must(["node", "add"]);
    await must(["stop"]);
    await must(["start"]);
    await must(["down"]);
  });
  after(async () => {
    await lab.end();
    rmSync(lab.folder, { recursive: true, force: true });
  });

  test(
    `Ctrl-C at ${instants} instants of up leaves nothing, or a whole cluster`,
    { timeout: 600_000 * patience },
    async () => {
      for (let count = 0; count < instants; count += 1) {
        // Spread over the whole, with chance in each part; a little beyond the end, too.
        const atMs = Math.round(((count + Math.random()) / instants) * (tookMs["up"] ?? 0) * 1.05);
        const { pid, ended } = begin(["up", "--nodes", "1"]);
        await sleep(atMs);
        try {
          process.kill(-pid, "SIGINT");
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
        }
        const { code, signal, stderr } = await ended;
        const what = `after ${atMs} ms: ${code ?? signal}\n${stderr}`;
        assert.doesNotMatch(stderr, /\n +at /, what);
        // Its work done, it no longer listens for signals while it exits: the cluster is whole then, too.
        const isWhole = code === 0 || (signal === "SIGINT" && stderr.includes("ok: kubeconfig"));
        if (isWhole) {
          await must(["status"]);
          await must(["down"]);
        }
        // Before it listens for signals it has made nothing.
        else assert.ok(code === 130 || (code === null && signal === "SIGINT"), what);
        await assertNothingLeft(what);
      }
    },
  );

  const meetings: readonly (readonly [command: readonly string[], before: readonly (readonly string[])[]])[] = [
    [["up", "--nodes", "1"], []],
    [["start"], [["up", "--nodes", "1"], ["stop"]]],
    [["stop"], [["up", "--nodes", "1"]]],
    [["node", "add"], [["up", "--nodes", "1"]]],
    [["down"], [["up", "--nodes", "1"]]],
  ];
  for (const [command, preparation] of meetings) {
    test(`down while ${command[0]} runs leaves nothing`, { timeout: 600_000 * patience }, async () => {
      for (let count = 0; count < Math.ceil(instants / 4); count += 1) {
        for (const args of preparation) await must(args);
        const atMs = randomInt(Math.ceil(tookMs[command[0] ?? ""] ?? 1));
        const { ended } = begin(command);
        await sleep(atMs);
        const down = await begin(["down"]).ended;
        const { code, stderr } = await ended;
        const what = `${command.join(" ")}, down after ${atMs} ms: ${code}\n${stderr}\ndown: ${down.code}\n${down.stderr}`;
        assert.equal(down.code, 0, what);
        assert.doesNotMatch(stderr + down.stderr, /\n +at /, what);
        // It may not have begun before `down` was through.
        if (code === 0) await must(["down"]);
        await assertNothingLeft(what);
      }
    });
  }

  test("of two ups at once one makes the cluster, and the other says that it is at work", async () => {
    const both = await Promise.all([begin(["up", "--nodes", "1"]).ended, begin(["up", "--nodes", "1"]).ended]);
    assert.deepEqual(new Set(both.map(({ code }) => code)), new Set([0, 1]));
    assert.match(both.find(({ code }) => code === 1)?.stderr ?? "", /"netloom up" \(process \d+\) is at work on it/);
    await must(["down"]);
    await assertNothingLeft("two ups");
  });
});
