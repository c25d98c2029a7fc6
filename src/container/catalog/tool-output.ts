/** What a program says of itself. */
import { spawnSync } from "node:child_process";
import { findTool, type toolPackages } from "../../machinery/tools.ts";

/** Both streams: nginx tells its version on stderr. Throws `ToolMissingError`. */
export function toolOutput(name: keyof typeof toolPackages, toolsDir: string, args: readonly string[]): string {
  const { path, env } = findTool(name, toolsDir);
  const { stdout, stderr } = spawnSync(path, args, { encoding: "utf8", env: { PATH: process.env["PATH"], ...env } });
  return `${stdout}${stderr}`;
}
