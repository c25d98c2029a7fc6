import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { complete, completionScript } from "./completion.ts";
import { createProgram } from "./program.ts";

const program = createProgram({
  progress: { done: () => undefined, fail: () => undefined, say: () => undefined },
  signal: new AbortController().signal,
  setExitCode: () => undefined,
});

const cases: readonly (readonly [words: readonly string[], offered: readonly string[]])[] = [
  [["stat"], ["status"]],
  [
    ["image", ""],
    ["ls", "load", "rm", "help"],
  ],
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
  [["export", "logs", ""], []],
  [["exec", "--name", "there-is-none", ""], []],
];
for (const [words, offered] of cases) {
  test(`complete() offers what may follow "netloom ${words.join(" ")}"`, () => {
    assert.deepEqual(complete(program, words), offered);
  });
}

test("complete() offers every command, and none that is between the scripts and us", () => {
  const all = complete(program, [""]);
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
