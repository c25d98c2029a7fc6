/** Starts conmon, which creates the container and then stays beside it: log, exit file, attach socket. */
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { spawnReporting } from "../../machinery/process/index.ts";
import type { ContainerSpec } from "../runtime.ts";
import { ContainerError } from "../errors.ts";
import { crunArguments, toolEnvironment, translateCrunError, type CrunTools } from "./tools.ts";

/**
 * Resolves with the first process's number once crun has created the container (its program does not run yet).
 * conmon leads a session of its own and outlives the agent. Throws `ContainerError` with crun's reason.
 */
export async function createUnderMonitor(
  tools: CrunTools,
  options: { readonly spec: ContainerSpec; readonly folder: string; readonly exitsDir: string },
): Promise<number> {
  const { spec, folder, exitsDir } = options;
  const args = [
    ["--api-version", "1", "-c", spec.id, "-u", spec.id, "-n", spec.name],
    ["-r", tools.crun.path, ...crunArguments(tools).flatMap((argument) => ["--runtime-arg", argument])],
    ["-b", folder, "-p", join(folder, "pid"), "-P", join(folder, "conmon.pid"), "-l", `k8s-file:${spec.logPath}`],
    ["--exit-dir", exitsDir, "--persist-dir", folder, "--full-attach", "--no-sync-log"],
    spec.hasTerminal ? ["-t"] : [],
    spec.hasStdin ? ["-i"] : [],
    spec.hasStdin && !spec.stdinOnce ? ["--leave-stdin-open"] : [],
  ].flat();
  const log = openSync(join(folder, "conmon.log"), "a", 0o600);
  try {
    const pipe = spawnReporting({
      path: tools.conmon.path,
      argv: ["conmon", ...args],
      folder,
      env: { ...toolEnvironment(tools.conmon), ...tools.crun.env, _OCI_SYNCPIPE: "3" },
      descriptors: new Map([[2, log]]),
      reportFd: 3,
    });
    const report = await firstLine(pipe);
    pipe.destroy();
    return parseReport(report);
  } finally {
    closeSync(log);
  }
}

/** conmon writes `{"data": <pid>}` or `{"data": -1, "message": "…"}`. */
function parseReport(line: string): number {
  let report: { readonly data?: unknown; readonly message?: unknown };
  try {
    report = JSON.parse(line) as typeof report;
  } catch {
    throw new ContainerError(
      "CreateContainerError",
      `Cannot create the container: conmon ended with ${JSON.stringify(line)}`,
    );
  }
  if (typeof report.data === "number" && report.data > 0) return report.data;
  throw new ContainerError(
    "RunContainerError",
    translateCrunError("create", typeof report.message === "string" ? report.message : "conmon gave no reason"),
  );
}

function firstLine(stream: Readable): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    stream.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes("\n")) resolve(text.slice(0, text.indexOf("\n")));
    });
    stream.on("end", () => resolve(text));
    stream.on("error", reject);
  });
}
