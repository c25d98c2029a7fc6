/** The programs and libraries a cluster runs: where they were found, and which version they are. */
import { tmpdir } from "node:os";
import { toolPackages } from "../../../machinery/tools.ts";
import type { Check } from "../check.ts";
import { fail, ok, type Outcome, warning } from "../finding.ts";
import type { Machine } from "../machine.ts";

interface Program {
  readonly name: string;
  /** Debian's package. */
  readonly package: string;
  /** What makes it say its version. */
  readonly ask?: readonly string[];
  /** What is missing without it; absent: no cluster starts. */
  readonly lack?: string;
}

const programs: readonly Program[] = [
  { name: "unshare", package: "util-linux", ask: ["--version"] },
  { name: "nsenter", package: "util-linux", ask: ["--version"] },
  { name: "flock", package: "util-linux", ask: ["--version"] },
  // Without a state folder it may use, a newer crun fails before it says its version.
  { name: "crun", package: toolPackages.crun, ask: [`--root=${tmpdir()}`, "--version"] },
  { name: "conmon", package: toolPackages.conmon, ask: ["--version"] },
  { name: "tini", package: toolPackages.tini, ask: ["--version"] },
  { name: "busybox", package: toolPackages.busybox, ask: [] },
  { name: "nginx", package: toolPackages.nginx, ask: ["-v"], lack: "the image nginx" },
  { name: "apache2", package: toolPackages.apache2, ask: ["-v"], lack: "the image httpd" },
  { name: "curl", package: "curl", ask: ["--version"], lack: "curl on nodes and in pods" },
  { name: "kubectl", package: "kubernetes-client", ask: ["version", "--client"], lack: "the tour" },
];

const programCheck = ({ name, package: from, ask, lack }: Program): Check => ({
  name,
  examine: ({ machine, folders }) => {
    const tool = machine.tool(name);
    const remedy = `run "netloom setup" once, which fetches it; or: sudo apt-get install ${from}`;
    if (tool === undefined)
      return lack === undefined
        ? fail("not found", remedy)
        : warning(`not found: without it ${lack} cannot be had`, remedy);
    const version = ask === undefined ? undefined : versionOf(machine, tool, ask);
    const where = tool.path.startsWith(folders.toolsDir) ? `${tool.path} (fetched)` : tool.path;
    if (version === undefined) {
      const broken = `${where} does not run`;
      return lack === undefined ? fail(broken, remedy) : warning(broken, remedy);
    }
    return ok(`${version}, ${where}`);
  },
});

/** The first thing in its answer that looks like a version; undefined where the program does not run. */
function versionOf(
  machine: Machine,
  tool: { readonly path: string; readonly env: Readonly<Record<string, string>> },
  ask: readonly string[],
): string | undefined {
  const { status, output } = machine.run(tool.path, ask, tool.env);
  if (status === undefined || status === 126 || status === 127) return undefined;
  return /\d+\.\d+(\.\d+)?/.exec(output)?.[0] ?? "version unknown";
}

const nftablesLibrary: Check = {
  name: "libnftables",
  examine: ({ machine }): Outcome => {
    const path = machine.library("libnftables.so.1");
    return path === undefined
      ? fail("not found", 'run "netloom setup" once, which fetches it; or: sudo apt-get install libnftables1')
      : ok(path);
  },
};

const nodeCheck: Check = {
  name: "node",
  examine: ({ machine }) =>
    Number(machine.nodeVersion.slice(1).split(".")[0]) >= 24
      ? ok(machine.nodeVersion)
      : fail(machine.nodeVersion, 'netloom needs Node 24: run "npm install --include=optional", which brings it'),
};

export const programChecks: readonly Check[] = [nodeCheck, ...programs.map(programCheck), nftablesLibrary];
