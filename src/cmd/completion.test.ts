import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { completionScript } from "./completion-scripts.ts";
import { complete } from "./completion.ts";
import { createProgram } from "./program.ts";

const program = createProgram({
  progress: { done: () => undefined, fail: () => undefined, say: () => undefined },
  signal: new AbortController().signal,
  setExitCode: () => undefined,
});

const offeredAfter = async (words: readonly string[]): Promise<readonly string[]> =>
  (await complete(program, words)).map(({ text }) => text);

const cases: readonly (readonly [words: readonly string[], offered: readonly string[]])[] = [
  [["stat"], ["status"]],
  [
    ["image", ""],
    ["ls", "load", "rm", "help"],
  ],
  [
    ["up", "--network", "vxlan", "--network="],
    ["--network=host-gw", "--network=vxlan"],
  ],
  [["up", "--network=v"], ["--network=vxlan"]],
  [["up", "--name", "status", "--netw"], ["--network"]],
  [["up", "--network", "vxlan", "--netw"], []],
  [["up", "--hel"], ["--help"]],
  [["up", "-f", ""], [":files"]],
  [["up", "--kubeconfig", "a"], [":files"]],
  [["image", "load", "a.tar", ""], [":files"]],
  [
    ["help", "node", "st"],
    ["stop", "start"],
  ],
  [["status", ""], []],
  [["exec", "node-1", "--", "l"], [":files"]],
  [["events", "--types", "W"], ["Warning"]],
  [["logs", "--level", "w"], ["warn"]],
  [["up", "--pod"], ["--pod-cidr"]],
  [
    ["status", "-o", ""],
    ["table", "wide", "json", "yaml"],
  ],
  [["status", "-o", "j"], ["json"]],
  [
    ["completion", ""],
    ["bash", "zsh", "fish"],
  ],
  [["export", "l"], ["logs"]],
  [["up", "--nodes", ""], []],
  [
    ["up", "--network", ""],
    ["host-gw", "vxlan"],
  ],
  [["export", "logs", ""], [":files"]],
  [["exec", "--name", "there-is-none", ""], []],
];
for (const [words, offered] of cases) {
  test(`complete() offers what may follow "netloom ${words.join(" ")}"`, async () => {
    assert.deepEqual(await offeredAfter(words), offered);
  });
}

test("complete() offers every command, and none that is between the scripts and us", async () => {
  const all = await offeredAfter([""]);
  for (const name of ["up", "down", "status", "doctor", "completion"]) assert.ok(all.includes(name), name);
  assert.ok(!all.some((name) => name.startsWith("__")));
});

for (const shell of ["bash", "zsh", "fish"] as const) {
  const hasShell = spawnSync(shell, ["-c", "true"]).status === 0;
  test(`the completion script is good ${shell}`, { skip: hasShell ? false : `there is no ${shell} here` }, () => {
    const run = spawnSync(shell, ["-n", "-c", completionScript[shell]], { encoding: "utf8" });
    assert.equal(run.stderr, "");
    assert.equal(run.status, 0);
  });
}

/** Answers as `netloom __complete` would. */
function withFakeNetloom(answers: readonly string[], ask: (path: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "nl-completion-"));
  try {
    writeFileSync(join(folder, "netloom"), `#!/bin/sh\nprintf '%s\\n' ${answers.map((one) => `'${one}'`).join(" ")}\n`);
    chmodSync(join(folder, "netloom"), 0o755);
    ask(`${folder}:${process.env["PATH"] ?? ""}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const bashCases: readonly (readonly [line: string, answers: readonly string[], offered: string])[] = [
  ["netloom st", ["status\tshow nodes", "start\tagain"], "status start"],
  ["netloom up --network=", ["--network=host-gw", "--network=vxlan"], "host-gw vxlan"],
  ["netloom image rm example.com/app:", ["example.com/app:1", "example.com/app:2"], "1 2"],
];
for (const [line, answers, offered] of bashCases) {
  test(`bash completes "${line}", of which it replaces what follows the last = or :`, () => {
    withFakeNetloom(answers, (path) => {
      const script = `${completionScript.bash}
        COMP_LINE='${line}' COMP_POINT=${line.length} COMP_WORDBREAKS=$' \\t\\n"=:'
        _netloom; echo "\${COMPREPLY[*]}"`;
      const run = spawnSync("bash", ["-c", script], { encoding: "utf8", env: { ...process.env, PATH: path } });
      assert.equal(run.stderr, "");
      assert.equal(run.stdout, `${offered}\n`);
    });
  });
}

const hasFish = spawnSync("fish", ["-c", "true"]).status === 0;
test("fish shows what candidates are", { skip: hasFish ? false : "there is no fish here" }, () => {
  withFakeNetloom(["status\tshow nodes", "stop"], (path) => {
    const script = `${completionScript.fish}\ncomplete -C "netloom st"`;
    const run = spawnSync("fish", ["-c", script], { encoding: "utf8", env: { ...process.env, PATH: path } });
    assert.equal(run.stdout, "status\tshow nodes\nstop\n");
  });
});
