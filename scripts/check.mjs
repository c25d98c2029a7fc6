// `npm run check`: everything that is fast, in parallel; prints only what failed.
import { spawn } from "node:child_process";
import { node24 } from "./setup/node.mjs";

const node = node24();
const bin = (name) => `node_modules/.bin/${name}`;
const steps = [
  ["format", bin("oxfmt"), ["--check", "src", "test", "scripts", "bin", "bench"]],
  ["lint", bin("oxlint"), ["--type-aware", "--quiet"]],
  ["types", bin("tsc"), ["-p", "."]],
  ["layering", bin("depcruise"), ["src", "--config", ".dependency-cruiser.mjs", "--output-type", "err"]],
  ["dead code", bin("knip"), ["--no-progress"]],
  [
    "unit tests",
    node,
    ["--test", "--test-isolation=none", "--test-reporter=dot", "src/**/*.test.ts", "test/repo/*.test.ts"],
  ],
];
// Type stripping is most of a unit test's start; what was stripped once is kept.
const env = { ...process.env, NODE_COMPILE_CACHE: "node_modules/.cache/node" };
const results = await Promise.all(
  steps.map(
    ([name, command, args]) =>
      new Promise((resolve) => {
        const started = performance.now();
        const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], env });
        let output = "";
        child.stdout.on("data", (chunk) => (output += chunk));
        child.stderr.on("data", (chunk) => (output += chunk));
        child.on("error", (error) => resolve({ name, code: 1, output: String(error), ms: 0 }));
        child.on("close", (code) => resolve({ name, code, output, ms: performance.now() - started }));
      }),
  ),
);
for (const { name, code, output, ms } of results) {
  console.log(`${code === 0 ? "ok  " : "FAIL"} ${name} (${Math.round(ms)} ms)`);
  if (code !== 0) console.log(output);
}
process.exit(results.every(({ code }) => code === 0) ? 0 : 1);
