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
import type { ClusterConfig } from "../../src/model/cluster-config.ts";
import { createMemoryStore } from "../../src/storage/index.ts";
import type { ObjectStore } from "../../src/storage/index.ts";

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
export async function startTestServer(options: Partial<ApiServerOptions> = {}): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), "netloom-api-"));
  const config = testConfig(folder);
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
  await server
    .client(administrator)
    .create(resources.serviceAccounts, { metadata: { name: "default", namespace: "default" } });
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

function testConfig(folder: string): ClusterConfig {
  return {
    name: "test",
    stateDir: folder,
    runDir: folder,
    toolsDir: folder,
    nodes: [],
    nodeCidr: "192.168.60.0/24",
    controlPlaneAddress: "192.168.60.1",
    podCidr: "10.244.0.0/16",
    serviceCidr: "10.96.0.0/12",
    outsideCidr: "192.168.61.0/24",
    outsideRouterAddress: "192.168.61.1",
    outsideAddress: "192.168.61.2",
    clusterDomain: "cluster.local",
    dnsServiceAddress: "10.96.0.10",
    kubernetesServiceAddress: "10.96.0.1",
    nodePortRange: { first: 30_000, last: 32_767 },
    loopbackIndex: 60,
    apiPort: 6443,
    images: [],
    maxPods: 110,
    auditLog: false,
  };
}
