/** Benchmarks of the kernel run in namespaces of their own, as root or rootless. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const variable = "NETLOOM_BENCH_INSIDE";

export const isInside = process.env[variable] !== undefined;

/**
 * Runs the benchmark again where it may make links, mounts and namespaces, and where they end with it; with
 * `hasOwnProcesses` in a PID namespace too, under tini. The exit code says whether it failed.
 */
export function runInside(
  benchmark: string,
  args: readonly string[],
  { hasOwnProcesses = false }: { readonly hasOwnProcesses?: boolean } = {},
): void {
  const main = fileURLToPath(new URL("main.ts", import.meta.url));
  const command = [
    ...(process.getuid?.() === 0 ? [] : ["--user", "--map-root-user"]),
    "--mount",
    "--net",
    ...(hasOwnProcesses ? ["--pid", "--fork", "--kill-child", "--mount-proc", "tini", "--"] : []),
    process.execPath,
    main,
    benchmark,
    ...args,
  ];
  const result = spawnSync("unshare", command, { stdio: "inherit", env: { ...process.env, [variable]: "1" } });
  if (result.error !== undefined) throw result.error;
  if (result.status !== 0) process.exitCode = 1;
}
