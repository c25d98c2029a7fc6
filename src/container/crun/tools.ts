/** How crun is called: one state folder per node, no cgroups, errors as JSON lines in a file of their own. */
import { spawn } from "node:child_process";
import { runCommand } from "../../machinery/process/index.ts";
import type { Tool } from "../../machinery/tools.ts";

export interface CrunTools {
  readonly crun: Tool;
  readonly conmon: Tool;
  /** crun's --root. */
  readonly stateDir: string;
}

/**
 * cgroups stay untouched: crun 1.8 refuses the hybrid layout many machines have, rootless none can be made, and a
 * cgroup of ours would outlive a killed cluster.
 */
export function crunArguments({ stateDir }: CrunTools): readonly string[] {
  return [`--root=${stateDir}`, "--cgroup-manager=disabled"];
}

export function toolEnvironment(tool: Tool): NodeJS.ProcessEnv {
  return { PATH: process.env["PATH"], ...tool.env };
}

/** Runs crun to its end. */
export function runCrun(
  tools: CrunTools,
  args: readonly string[],
): Promise<{ readonly exitCode: number; readonly stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(tools.crun.path, [...crunArguments(tools), ...args], {
      stdio: ["ignore", "ignore", "pipe"],
      env: toolEnvironment(tools.crun),
    });
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    child.on("error", reject);
    child.on("close", (code) => resolve({ exitCode: code ?? 1, stderr: stderr.trim() }));
  });
}

/**
 * crun's words, with those Kubernetes users know where a program cannot be run:
 * `OCI runtime create failed: unable to start container process: exec: "foo": executable file not found in $PATH`.
 */
export function translateCrunError(action: "create" | "start" | "exec", text: string): string {
  return `OCI runtime ${action} failed: unable to start container process: ${reasonOf(text)}`;
}

function reasonOf(text: string): string {
  const words = text.replace(/^.*?\[crun:e\] /, "").trim();
  const missing = /executable file [`'](.*?)['`] not found in \$PATH/.exec(words);
  if (missing) return `exec: ${JSON.stringify(missing[1])}: executable file not found in $PATH`;
  const unopenable = /open executable: (.*)$/.exec(words);
  if (unopenable) return `exec: ${unopenable[1]}`;
  return words;
}

/** By crun's path: every node of an agent asks the same program. */
const versions = new Map<string, Promise<string>>();

/** "crun://1.21". Asked once in a process. Rejects with `CommandError`; the next caller then asks again. */
export function crunVersion(tools: CrunTools): Promise<string> {
  const { path } = tools.crun;
  const known = versions.get(path) ?? askVersion(tools);
  versions.set(path, known);
  known.catch(() => versions.delete(path));
  return known;
}

/** With the state folder: from 1.9 on crun names it beside its version, and fails where its default cannot be made. */
async function askVersion(tools: CrunTools): Promise<string> {
  const command = [tools.crun.path, ...crunArguments(tools), "--version"] as const;
  const { stdout } = await runCommand(command, { env: toolEnvironment(tools.crun) });
  return `crun://${/^crun version (\S+)/m.exec(stdout)?.[1] ?? "unknown"}`;
}
