/** `netloom cluster-dns -conf Corefile`: the program of the Deployment `coredns`. */
import { runClusterDns } from "../components/cluster-dns/index.ts";
import { untilTerminated } from "./until-terminated.ts";
import { packageVersion } from "./version.ts";

export async function clusterDns(args: readonly string[]): Promise<void> {
  await runClusterDns(args, untilTerminated(), { version: packageVersion() });
}
