/** The command `netloom cluster-dns`: what the catalog image coredns runs, with CoreDNS's command line. */
import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { createHttpsClient } from "../../client/index.ts";
import type { HttpsApiClient } from "../../client/index.ts";
import { systemClock } from "../../machinery/clock.ts";
import type { ListWatch } from "../../machinery/informer/index.ts";
import { inClusterKubeconfig, readKubeconfig } from "../../machinery/kubeconfig/index.ts";
import type { Kubeconfig } from "../../machinery/kubeconfig/index.ts";
import { parseDnsArguments } from "./arguments.ts";
import { createClusterDns } from "./cluster-dns.ts";
import { createDnsLogger } from "./dns-log.ts";

/**
 * Serves until the signal aborts and the lameduck time is over. Rejects with `DnsArgumentError`, `CorefileError`,
 * `KubeconfigError`, the system's error where a port cannot be bound, or when it finds that it forwards to itself.
 */
export async function runClusterDns(
  argv: readonly string[],
  signal: AbortSignal,
  /** Of netloom, for the log and `coredns_build_info`. */
  { version = "" }: { readonly version?: string } = {},
): Promise<void> {
  const { corefile, kubeconfig: path, defaultPort } = parseDnsArguments(argv);
  const fromFile = path === undefined ? undefined : await readKubeconfig(path);
  const dns = createClusterDns({
    readCorefile: () => readFileSync(corefile, "utf8"),
    source: () => renewedSource(() => fromFile ?? inClusterKubeconfig()),
    log: createDnsLogger((line) => process.stdout.write(line)),
    clock: systemClock,
    defaultPort,
    localAddresses: ownAddresses(),
    environment: process.env,
    random: Math.random,
    version,
  });
  await dns.run(signal);
}

/** Tokens are renewed on disk: each list and watch looks whether it is still the one of the open connection. */
function renewedSource(kubeconfig: () => Kubeconfig): ListWatch {
  let current: { readonly token: string | undefined; readonly client: HttpsApiClient } | undefined;
  const client = (): HttpsApiClient => {
    const config = kubeconfig();
    if (current === undefined || current.token !== config.token) {
      current?.client.close();
      current = { token: config.token, client: createHttpsClient(config) };
    }
    return current.client;
  };
  return {
    list: async (resource, options) => client().list(resource, options),
    watch: (resource, options) => client().watch(resource, options),
  };
}

function ownAddresses(): readonly string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, scopeid = 0 }) => !internal && scopeid === 0)
    .map(({ address }) => address);
}
