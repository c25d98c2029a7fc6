/** Runs a program to its end with this terminal. Throws where it fails. */
import { spawnSync } from "node:child_process";

export function run(
  command: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): void {
  const { status, signal, error } = spawnSync(command, args, {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, ...environment },
  });
  if (error !== undefined) throw new Error(`Cannot run ${command}: ${error.message}`, { cause: error });
  if (status !== 0)
    throw new Error(`Cannot go on: ${command} ended with ${signal ?? `exit code ${status}`}; see above`);
}
