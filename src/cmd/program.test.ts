import assert from "node:assert/strict";
import { test } from "node:test";
import { createProgram } from "./program.ts";

/** What is said of a wrong command line. */
async function refusal(words: readonly string[]): Promise<string> {
  const said: string[] = [];
  const program = createProgram({
    progress: { done: () => undefined, fail: (message) => said.push(message), say: () => undefined },
    signal: new AbortController().signal,
    setExitCode: () => undefined,
  });
  await assert.rejects(program.parseAsync([...words], { from: "user" }), { exitCode: 1 });
  return said.join("\n");
}

const refused: readonly (readonly [words: readonly string[], said: string])[] = [
  [["statsu"], "unknown command 'statsu'\n(Did you mean status?)"],
  [["up", "--node", "3"], "unknown option '--node'\n(Did you mean --nodes?)"],
  [["up", "three"], 'unexpected argument "three": "netloom up" takes no argument'],
  [["node", "stop", "a", "b"], 'unexpected argument "b": "netloom node stop" takes <node>'],
  [["expose", "service/a", "80", "81"], 'unexpected argument "81": "netloom expose" takes <service> and <port>'],
  [["help", "node", "buy"], 'unknown command "node buy"'],
  [["down", "--all", "--name", "a"], "option '-A, --all' cannot be used with option '--name <name>'"],
];
for (const [words, said] of refused) {
  test(`netloom ${words.join(" ")} is refused, and says why`, async () => {
    assert.equal(await refusal(words), said);
  });
}
