/** An API server on a free port with everything it needs in a folder of its own, for tests. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { builtinResources } from "../../src/api/builtin.ts";
import { resources } from "../../src/api/resources.ts";
import { createApiServer } from "../../src/components/kube-apiserver/index.ts";
import type { ApiServer, ApiServerOptions } from "../../src/components/kube-apiserver/index.ts";
import { systemClock } from "../../src/machinery/clock.ts";
import { silentLogger } from "../../src/machinery/log.ts";
import { createClusterPki } from "../../src/machinery/pki/index.ts";
import type { ClusterPki } from "../../src/machinery/pki/index.ts";
import { kubeconfigText } from "../../src/machinery/kubeconfig/index.ts";
import { createMemoryStore } from "../../src/storage/index.ts";
import type { ObjectStore } from "../../src/storage/index.ts";
import { exampleCluster } from "../../src/model/cluster-plan/index.ts";

export interface TestServer {
  readonly server: ApiServer;
  readonly pki: ClusterPki;
  readonly store: ObjectStore;
  /** A kubeconfig of an administrator for 127.0.0.1. */
  readonly kubeconfig: string;
  readonly url: string;
  /** A kubeconfig for anyone else. */
  kubeconfigFor(user: string, groups: readonly string[]): string;
  close(): Promise<void>;
}

const administrator = { name: "kubernetes-admin", groups: ["system:masters"] };

/** The default namespace has its service account, as the controller would make it. */
export async function startTestServer({
  defaultAccount = true,
  ...options
}: Partial<ApiServerOptions> & { readonly defaultAccount?: boolean } = {}): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), "netloom-api-"));
  const config = exampleCluster(folder, { nodes: [] });
  const pki = createClusterPki({ config, clock: systemClock });
  const store = options.store ?? createMemoryStore();
  const server = createApiServer({
    config,
    store,
    registry: builtinResources(),
    pki,
    listeners: [{ host: "127.0.0.1", port: 0 }],
    clock: systemClock,
    log: silentLogger,
    ...options,
  });
  const stop = new AbortController();
  const running = server.run(stop.signal);
  await Promise.race([server.ready, running]);
  if (defaultAccount) {
    const metadata = { name: "default", namespace: "default" };
    await server.client(administrator).create(resources.serviceAccounts, { metadata });
  }
  const url = `https://127.0.0.1:${server.port}`;
  const kubeconfigFor = (user: string, groups: readonly string[]): string => {
    const pair = pki.issue({ commonName: user, organizations: groups, usage: "client", validDays: 1 });
    return kubeconfigText({ cluster: "test", user, server: url, ca: pki.caCertificate, ...pair });
  };
  return {
    server,
    pki,
    store,
    url,
    kubeconfig: kubeconfigFor(administrator.name, administrator.groups),
    kubeconfigFor,
    close: async () => {
      stop.abort();
      await running;
      await store.close();
      rmSync(folder, { recursive: true });
    },
  };
}
