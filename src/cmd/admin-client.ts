/** The API as its administrator, for the host's commands. */
import { join } from "node:path";
import { createHttpsClient, type HttpsApiClient } from "../client/index.ts";
import { readKubeconfig } from "../machinery/kubeconfig/index.ts";
import { type ClusterConfig, clusterPaths } from "../model/cluster-config.ts";

/** Runs `work` with a client that is closed afterwards. */
export async function asAdministrator<T>(
  config: ClusterConfig,
  work: (client: HttpsApiClient) => Promise<T>,
): Promise<T> {
  const client = createHttpsClient(await readKubeconfig(join(clusterPaths(config).kubeconfigs, "admin.conf")));
  try {
    return await work(client);
  } finally {
    client.close();
  }
}
