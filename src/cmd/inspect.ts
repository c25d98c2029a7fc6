/**
 * `netloom inspect CONFIG SCOPE`: the other side of `askKernel`, inside the cluster's namespaces. A file of its own: it
 * loads native libraries, which no command on the host has to wait for.
 */
import { inspectNamespaces } from "../components/lab-inspection/index.ts";
import { clusterPaths } from "../model/cluster-config.ts";
import { readClusterFile } from "./cluster-file.ts";

export async function inspect([configFile = "", scope = "nodes"]: readonly string[]): Promise<void> {
  const config = readClusterFile(configFile);
  const nodes = config.nodes.map(({ name }) => name);
  const reports = inspectNamespaces({
    folder: clusterPaths(config).netns,
    toolsDir: config.toolsDir,
    isWanted: (name) => scope === "all" || nodes.includes(name),
  });
  await new Promise((resolve) => process.stdout.write(JSON.stringify(reports), resolve));
}
