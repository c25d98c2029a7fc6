/**
 * `netloom inspect CONFIG reports|counts`: the other side of `askKernel`, inside the cluster's namespaces. A file of its
 * own: it loads native libraries, which no command on the host has to wait for.
 */
import { countNamespaces, inspectNamespaces } from "../components/lab-inspection/index.ts";
import { clusterPaths } from "../model/cluster-config.ts";
import { readClusterFile } from "./cluster-file.ts";

export async function inspect([configFile = "", what = "counts"]: readonly string[]): Promise<void> {
  const config = readClusterFile(configFile);
  const folder = clusterPaths(config).netns;
  const nodes = new Set(config.nodes.map(({ name }) => name));
  const answer =
    what === "reports"
      ? inspectNamespaces({ folder, toolsDir: config.toolsDir, isWanted: () => true })
      : countNamespaces({ folder, isWanted: (name) => nodes.has(name) });
  await new Promise((resolve) => process.stdout.write(JSON.stringify(answer), resolve));
}
