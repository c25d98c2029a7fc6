/** `netloom server CONFIG`: the control plane of a lab in one process: API server, controllers, scheduler, published ports. */
import { join } from "node:path";
import { builtinResources } from "../api/builtin.ts";
import type { KubernetesObject, Resource } from "../api/object.ts";
import { resources } from "../api/resources.ts";
import { clusterDnsManifests } from "../components/cluster-dns/index.ts";
import { createApiServer, serviceAccountUser } from "../components/kube-apiserver/index.ts";
import { createControllerManager } from "../components/kube-controller-manager/index.ts";
import { createScheduler } from "../components/kube-scheduler/index.ts";
import { createMetricsGateway } from "../components/metrics-gateway/index.ts";
import { createPublishedPorts } from "../components/published-ports/index.ts";
import { NamespaceWorker } from "../kernel/netns/index.ts";
import { systemClock as clock } from "../machinery/clock.ts";
import { followRoster, reportProgress } from "../machinery/control-socket/index.ts";
import { createInformer } from "../machinery/informer/index.ts";
import { createLogger } from "../machinery/log.ts";
import { createIdleCollection, processMemory } from "../machinery/memory/index.ts";
import { createMetricsRegistry } from "../machinery/metrics/index.ts";
import { createNodeList } from "../machinery/node-list.ts";
import { createClusterPki, createTokenSigner } from "../machinery/pki/index.ts";
import { standardStorageClass } from "../model/persistent-volumes/index.ts";
import { clusterPaths, metricsListener } from "../model/cluster-config.ts";
import { openSqliteStore } from "../storage/index.ts";
import { openAuditLog } from "./audit-log.ts";
import { createMissing } from "./create-missing.ts";
import { readClusterFile } from "./cluster-file.ts";
import { writeCompileCacheLater } from "./compile-cache.ts";
import { createHostDialer } from "./host-dialer.ts";
import { createMetricsSources } from "./metrics-sources.ts";
import { answerOfServer, createOverviewSocket } from "./overview/index.ts";
import { createReadinessReport } from "./readiness-report.ts";
import { runTogether } from "./run-together.ts";
import { untilTerminated } from "./until-terminated.ts";

/** What the parts of the control plane are to the API server. */
const users = {
  controllers: { name: "system:kube-controller-manager", groups: ["system:authenticated"] },
  scheduler: { name: "system:kube-scheduler", groups: ["system:authenticated"] },
  administrator: { name: "kubernetes-admin", groups: ["system:masters", "system:authenticated"] },
} as const;

const apiPortInside = 6443;

export async function server([configFile = ""]: readonly string[]): Promise<void> {
  const config = readClusterFile(configFile);
  const paths = clusterPaths(config);
  const log = createLogger("server", { level: config.logLevel });
  const signal = untilTerminated();
  void writeCompileCacheLater(clock, signal);
  const milestone = async (step: "api-server" | "failed", detail?: string): Promise<void> =>
    await reportProgress(paths.holderSocket, {
      step,
      process: "server",
      atMs: clock.now(),
      ...(detail === undefined ? {} : { detail }),
    });
  // This process stays in the host's network namespace; the worker makes its sockets inside the cluster.
  const inside = new NamespaceWorker();
  try {
    const lan = join(paths.netns, "lan");
    // Not waited for: a thread takes as long to start as the store to be read.
    const bound = config.controlPlaneAddresses.map(
      async (address) => await inside.bindTcp({ netnsPath: lan, address, port: apiPortInside }),
    );
    // Whoever listens hears of it.
    for (const fd of bound) fd.catch(() => undefined);
    const store = openSqliteStore(paths.store);
    const nodes = createNodeList(config.nodes);
    const registry = builtinResources();
    // The nodes' own were made before they were started: two to be looked at for each of them.
    const pki = createClusterPki({ config: { ...config, nodes: [] }, clock });
    const tokenSigner = createTokenSigner(pki.serviceAccountKey.privateKey);
    const metrics = createMetricsRegistry({ withProcess: true });
    const audit = config.auditLog ? openAuditLog(paths.auditLog, log) : undefined;
    const api = createApiServer({
      config,
      ...(audit === undefined ? {} : { writeAudit: (line) => audit.write(line) }),
      store,
      registry,
      metrics,
      pki,
      listeners: [{ host: "127.0.0.1", port: config.apiPort }, ...bound.map((fd) => ({ fd }))],
      dialKubelet: async (nodeName) => {
        const node = nodes.current.find(({ name }) => name === nodeName);
        if (node === undefined) throw new Error(`no node named "${nodeName}" belongs to this cluster`);
        return await inside.connectTcp({ netnsPath: lan, address: node.addresses[0], port: 10_250 });
      },
      dialCluster: async ({ host, port }) => await inside.connectTcp({ netnsPath: lan, address: host, port }),
      clock,
      log,
    });
    const administrator = api.client(users.administrator);
    const services = createInformer({ source: administrator, resource: resources.services, clock, log });
    const components = [
      createControllerManager({
        client: api.client(users.controllers),
        clientFor: (account) => api.client(serviceAccountUser("kube-system", account)),
        clock,
        log,
        rootCa: pki.caCertificate,
        signCertificate: (body) => pki.sign(body),
        signToken: (claims) => tokenSigner.sign(claims),
        // Each stored object once: an old version shows the same objects under another name.
        deletableResources: registry.definitions
          .filter(({ verbs }) => verbs.includes("delete") && verbs.includes("watch"))
          .filter(({ group, storage, conversion }) => group === storage.group && conversion === undefined)
          .map(resourceOf),
        ownerResources: registry.definitions.filter(({ verbs }) => verbs.includes("get")).map(resourceOf),
        metrics,
      }),
      createScheduler({ client: api.client(users.scheduler), clock, log, metrics }),
      services,
      createPublishedPorts({
        nodes,
        services,
        dialer: createHostDialer({ config, nodes, inside }),
        clock,
        log,
      }),
      createMetricsGateway({
        listen: metricsListener(config),
        sources: createMetricsSources({ config, metrics, client: administrator, inside }),
        clock,
        log,
      }),
      createIdleCollection({ memory: processMemory(), clock }),
      createOverviewSocket({
        path: paths.overviewSocket("server"),
        answer: answerOfServer({ client: administrator, nodes }),
        log,
      }),
      createReadinessReport({
        config,
        client: administrator,
        dialCluster: async (target) => await inside.connectTcp({ ...target, netnsPath: lan }),
        clock,
        log,
      }),
    ];
    const apiRun = api.run(signal);
    const watchNodes = async (): Promise<void> => {
      for await (const roster of followRoster(paths.holderSocket, signal)) nodes.set(roster.map(({ node }) => node));
    };
    await Promise.race([api.ready, apiRun]);
    await milestone("api-server");
    await Promise.all([
      apiRun,
      watchNodes(),
      createMissing(
        [
          standardStorageClass,
          ...Object.values(clusterDnsManifests({ ...config, image: "registry.k8s.io/coredns/coredns" })),
        ],
        {
          client: administrator,
          registry,
        },
      ),
      runTogether(components, signal),
    ]);
    await store.close();
    audit?.close();
  } catch (error) {
    if (signal.aborted) return;
    log.error("the server cannot go on", { error });
    await milestone("failed", (error as Error).message);
    process.exitCode = 1;
  } finally {
    await inside.close();
  }
}

const resourceOf = ({
  group,
  version,
  plural,
  kind,
  isNamespaced,
}: Resource<KubernetesObject>): Resource<KubernetesObject> => ({ group, version, plural, kind, isNamespaced });
