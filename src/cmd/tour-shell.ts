/** The shell the tour types into: it sits among the tour's manifests and knows `kubectl`, `netloom` and `curl`. */
import { spawn } from "node:child_process";
import { dirname } from "node:path";
import { lookUpTool } from "../machinery/tools.ts";
import { CommandError } from "./clusters.ts";
import { selfCommand } from "./self.ts";

export interface TourShell {
  readonly kubectl: string;
  /** What a reader sees is what the commands print. Resolves with the exit code. */
  readonly type: (line: string) => Promise<number>;
}

/** `folder`: of the manifests. `context`: kubectl's, which is the cluster's name. Throws where kubectl or curl is missing. */
export function openTourShell(options: {
  readonly toolsDir: string;
  readonly context: string;
  readonly folder: string;
}): TourShell {
  const { toolsDir, context, folder } = options;
  const kubectl = process.env["NETLOOM_KUBECTL"] ?? needed("kubectl", toolsDir).path;
  const curl = needed("curl", toolsDir);
  const functions = `
kubectl() { "$NETLOOM_TOUR_KUBECTL" --context "$NETLOOM_TOUR_CONTEXT" "$@"; }
netloom() { command=$1; shift; "$NETLOOM_TOUR_NODE" "$NETLOOM_TOUR_ENTRY" "$command" --name "$NETLOOM_TOUR_CONTEXT" "$@"; }
curl() { ${"LD_LIBRARY_PATH" in curl.env ? 'LD_LIBRARY_PATH="$NETLOOM_TOUR_LIBRARIES" ' : ""}"$NETLOOM_TOUR_CURL" "$@"; }
`;
  const env = {
    ...process.env,
    PATH: `${process.env["PATH"] ?? ""}:${dirname(kubectl)}`,
    NETLOOM_TOUR_KUBECTL: kubectl,
    NETLOOM_TOUR_CONTEXT: context,
    NETLOOM_TOUR_NODE: selfCommand.node,
    NETLOOM_TOUR_ENTRY: selfCommand.entry,
    NETLOOM_TOUR_CURL: curl.path,
    NETLOOM_TOUR_LIBRARIES: curl.env["LD_LIBRARY_PATH"],
  };
  return {
    kubectl,
    type: async (line) =>
      await new Promise((resolve, reject) => {
        const shell = ["-c", `${functions}${line}`];
        const child = spawn("/bin/sh", shell, { cwd: folder, stdio: ["ignore", "inherit", "inherit"], env });
        child.once("error", reject);
        child.once("close", (code) => resolve(code ?? 1));
      }),
  };
}

function needed(name: string, toolsDir: string): NonNullable<ReturnType<typeof lookUpTool>> {
  const tool = lookUpTool(name, toolsDir);
  if (tool !== undefined) return tool;
  throw new CommandError(
    `Cannot find ${name} on the PATH or among the fetched tools: run "netloom setup" once, which fetches it`,
  );
}
