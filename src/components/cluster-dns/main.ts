/** The command `netloom cluster-dns`: what the catalog image coredns runs, with CoreDNS's command line. */
import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { createHttpsClient } from "../../client/index.ts";
import type { HttpsApiClient } from "../../client/index.ts";
import { systemClock } from "../../machinery/clock.ts";
import { createIdleCollection, processMemory } from "../../machinery/memory/index.ts";
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
  const api = renewedSource(() => fromFile ?? inClusterKubeconfig());
  const dns = createClusterDns({
    readCorefile: () => readFileSync(corefile, "utf8"),
    source: () => api.source,
    log: createDnsLogger((line) => process.stdout.write(line)),
    clock: systemClock,
    defaultPort,
    localAddresses: ownAddresses(),
    environment: process.env,
    random: Math.random,
    version,
  });
  const ended = new AbortController();
  const collecting = createIdleCollection({ memory: processMemory(), clock: systemClock }).run(ended.signal);
  try {
    await dns.run(signal);
  } finally {
    ended.abort();
    await collecting;
    // An open connection would keep the process until it is killed.
    api.close();
  }
}

/** Tokens are renewed on disk: each list and watch looks whether it is still the one of the open connection. */
function renewedSource(kubeconfig: () => Kubeconfig): { readonly source: ListWatch; close(): void } {
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
    source: {
      list: async (resource, options) => client().list(resource, options),
      watch: (resource, options) => client().watch(resource, options),
    },
    close: () => current?.client.close(),
  };
}

function ownAddresses(): readonly string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, scopeid = 0 }) => !internal && scopeid === 0)
    .map(({ address }) => address);
}
