/**
 * How long a command takes to answer, from its start to its end, beside an empty Node. `npm run bench -- cli [ROUNDS]`.
 * A cluster of its own runs meanwhile.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { median, printTable } from "./_table.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const launcher = join(root, "bin/netloom.mjs");
const bundle = join(root, "dist/main.js");

const commands: readonly (readonly string[])[] = [
  ["version"],
  ["--help"],
  ["list"],
  ["status"],
  ["status", "-o", "wide"],
  ["ports"],
  ["__complete", "st"],
];

export function run([rounds = "11"]: readonly string[]): void {
  const folder = mkdtempSync(join(tmpdir(), "nlb-"));
  const env = {
    ...process.env,
    XDG_STATE_HOME: join(folder, "s"),
    XDG_RUNTIME_DIR: join(folder, "r"),
    KUBECONFIG: join(folder, "kubeconfig"),
  };
  const time = (args: readonly string[]): number => {
    const times = Array.from({ length: Number(rounds) }, () => {
      const started = performance.now();
      const { status, stderr } = spawnSync(process.execPath, args, { env, encoding: "utf8" });
      if (status !== 0) throw new Error(`${args.join(" ")}: ${stderr}`);
      return performance.now() - started;
    });
    return median(times);
  };
  try {
    // Also makes the bundle anew where the sources are newer.
    time([launcher, "version"]);
    spawnSync(process.execPath, [bundle, "up"], { env });
    const empty = time(["-e", "0"]);
    const rows = commands.map((command) => {
      const took = time([bundle, ...command]);
      const name = `netloom ${command.join(" ")}`;
      return [
        name,
        `${Math.round(took)} ms`,
        "100 ms",
        `empty Node: ${Math.round(empty)} ms`,
        `${(took / empty).toFixed(1)}x`,
      ];
    });
    console.log(
      `${rounds} rounds, medians; ${cpus().length} cores, ${cpus()[0]?.model ?? "unknown"}, Node ${process.version}\n`,
    );
    printTable(["what", "netloom", "to reach", "floor", "ratio"], rows);
  } finally {
    spawnSync(process.execPath, [bundle, "down"], { env });
    rmSync(folder, { recursive: true, force: true });
  }
}
