// `npm test`: sets up and runs every test: the checks, then the unit tests in one process, then the kernel and cluster
// tests file by file. Ends with the line "N passed, N failed".
import { spawn } from "node:child_process";
import { globSync } from "node:fs";
import { join } from "node:path";
import { root, setUp } from "./setup/index.mjs";

const node = setUp();
const only = process.argv.slice(2);
const suites = [
  {
    name: "unit",
    files: ["src/**/*.test.ts", "test/repo/*.test.ts", "test/contract/*.test.ts"],
    flags: ["--test-isolation=none"],
  },
  { name: "kernel", files: ["test/kernel/*.test.ts"], flags: ["--test-concurrency=1"] },
  { name: "cluster", files: ["test/cluster/*.test.ts"], flags: ["--test-concurrency=1"] },
].filter(({ name }) => only.length === 0 || only.includes(name));

// On a slow machine everything may take so many times longer (test/patience.ts says how many, and refuses nonsense).
const patience = Number(process.env.NETLOOM_TEST_PATIENCE ?? "1");
const total = { pass: 0, fail: 0, skipped: 0 };
for (const { name, files, flags } of suites) {
  process.stdout.write(`\n# ${name} tests\n`);
  const found = files.flatMap((pattern) => globSync(pattern, { cwd: root }));
  if (found.length === 0) continue;
  const output = await run(node, [
    "--test",
    "--test-reporter=spec",
    `--test-timeout=${300_000 * patience}`,
    ...flags,
    ...found.toSorted((left, right) => left.localeCompare(right)),
  ]);
  const count = (word) => Number(new RegExp(`^ℹ ${word} (\\d+)$`, "m").exec(output.text)?.[1] ?? 0);
  const failed = count("fail") + count("cancelled");
  total.pass += count("pass");
  total.skipped += count("skipped");
  total.fail += failed === 0 && output.code !== 0 ? 1 : failed;
}
process.stdout.write(
  `\n${total.pass} passed, ${total.fail} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ""}\n`,
);
process.exit(total.fail === 0 && total.pass > 0 ? 0 : 1);

function run(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, FORCE_COLOR: "0", NODE_COMPILE_CACHE: join(root, "node_modules/.cache/node") },
    });
    let text = "";
    child.stdout.setEncoding("utf8");
    child.stdout.on("data", (chunk) => {
      text += chunk;
      process.stdout.write(chunk);
    });
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, text }));
  });
}
