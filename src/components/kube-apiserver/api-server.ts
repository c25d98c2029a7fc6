/** Puts the API server together. */
import type { ApiClient } from "../../client/index.ts";
import type { Component } from "../../machinery/component.ts";
import { createActions } from "./actions/index.ts";
import { createEventRecorder } from "../../machinery/events/index.ts";
import { createMetricsRegistry } from "../../machinery/metrics/index.ts";
import { builtInAdmission } from "./admission/index.ts";
import { auditedClient, createAuditTrail } from "./audit/index.ts";
import { createAuthenticator } from "./authentication/authenticator.ts";
import { createTokenSigner } from "../../machinery/pki/index.ts";
import { createServiceAccountTokens } from "./authentication/service-account-tokens.ts";
import { createAuthorizer } from "./authorization/index.ts";
import { bootstrap } from "./bootstrap.ts";
import { createDefaultServiceCidr } from "./default-service-cidr.ts";
import { createDiscovery } from "./discovery.ts";
import { keepDangling, keepFlowControl } from "./flow-control/index.ts";
import { createHandler, createUpgradeHandler } from "./handler.ts";
import type { HandlerOptions } from "./handler.ts";
import { keepHouse } from "./housekeeping.ts";
import type { OpenWatches } from "./http/resource-call.ts";
import { listen } from "./http/tls-server.ts";
import { createInProcessClient } from "./in-process-client.ts";
import { createApiServerMetrics } from "./metrics.ts";
import { createOpenApiPaths } from "./openapi-paths.ts";
import { createOpenIdPaths } from "./openid-paths.ts";
import type { ApiServerOptions } from "./options.ts";
import { createPaths } from "./paths.ts";
import type { Environment } from "./resources/environment.ts";
import { createReviews } from "./reviews/index.ts";
import { servedResource } from "./resources/resource.ts";
import type { ServedResource } from "./resources/resource.ts";
import { withServiceAddresses } from "./service-allocation/addressed-store.ts";
import { createAllocations } from "./service-allocation/allocations.ts";
import { keepAddresses, repairAddresses } from "./service-allocation/repair.ts";
import { createServiceStrategy } from "./service-allocation/strategy.ts";
import { createStrategies } from "./strategies/index.ts";
import { createBackends } from "./streams/backends.ts";
import { loopbackUser } from "./user.ts";
import type { User } from "./user.ts";

export interface ApiServer extends Component {
  /** A client in this process that acts as `user`, with that user's rights. Works from the start of `run`. */
  client(user: User): ApiClient;
  /** The port of the first listener with a host; 0 before `ready`. */
  readonly port: number;
}

/** What we say we are. */
const version = "v1.35.0+netloom";

export function createApiServer(options: ApiServerOptions): ApiServer {
  const { registry, clock, log, pki } = options;
  const { serviceCidrs, nodePortRange } = options.config;
  const store = withServiceAddresses(options.store, clock);
  const allocations = createAllocations({ store, nodePortRange });
  const strategies = createStrategies({
    services: createServiceStrategy({ allocations, serviceCidrs, nodePortRange }),
  });
  const authorizer = createAuthorizer(store);
  const environment: Environment = {
    store,
    clock,
    admission: builtInAdmission(store, { clock, authorizer }),
    servedFrom: (group, plural) => registry.servedFrom(group, plural),
    strategyOf: strategies,
  };
  const served = new Map<string, ServedResource>();
  for (const definition of registry.definitions) {
    const { group, version: of, plural } = definition;
    served.set(`${group}/${of}/${plural}`, servedResource(definition, environment));
  }
  const resourceOf = (group: string, of: string, plural: string): ServedResource | undefined =>
    served.get(`${group}/${of}/${plural}`);
  const signer = createTokenSigner(pki.serviceAccountKey.privateKey);
  const issuer = `https://kubernetes.default.svc.${options.config.clusterDomain}`;
  const tokens = createServiceAccountTokens({ signer, issuer, store, clock });
  const actionOf = createActions(tokens);
  const reviewOf = createReviews({ authorizer, tokens });
  const watches: OpenWatches = new Set();
  const stopped = new AbortController();
  const ready = Promise.withResolvers<void>();
  // Whoever waits for `ready` hears of a failure; when nobody does, `run` still rejects.
  ready.promise.catch(() => undefined);
  let port = 0;
  let isBootstrapped = false;
  const metrics = createApiServerMetrics(options.metrics ?? createMetricsRegistry(), {
    store,
    watches,
    isServed: ({ group, version: of, resource, subresource }) => {
      const definition = resourceOf(group, of, resource)?.definition;
      return definition !== undefined && (subresource === "" || Object.hasOwn(definition.subresources, subresource));
    },
  });

  const { writeAudit } = options;
  const trail = writeAudit === undefined ? undefined : createAuditTrail({ write: writeAudit, clock });

  const client = (user: User): ApiClient => {
    const clientWith = (annotations: Record<string, string>): ApiClient =>
      createInProcessClient({
        user,
        annotations,
        registry,
        authorizer,
        resourceOf,
        signal: stopped.signal,
        actionOf,
        reviewOf,
      });
    return trail === undefined ? clientWith({}) : auditedClient(clientWith, { user, trail });
  };

  const handling: HandlerOptions = {
    registry,
    authenticate: createAuthenticator(tokens, clock),
    authorizer,
    discovery: createDiscovery(registry),
    paths: createPaths({
      version,
      groupVersions: registry.definitions,
      others: [createOpenApiPaths(registry, version), createOpenIdPaths(signer, issuer)],
      checks: [
        { name: "ping", check: () => undefined },
        { name: "log", check: () => undefined },
        { name: "etcd", check: () => store.failure },
        {
          name: "poststarthook/bootstrap-controller",
          check: () => (isBootstrapped ? undefined : "the first objects are not stored yet"),
        },
      ],
      metrics: () => metrics.text(),
      metricsContentType: metrics.contentType,
    }),
    resourceOf,
    actionOf,
    reviewOf,
    watches,
    clock,
    log,
    ...(trail === undefined ? {} : { audit: trail }),
    backends: createBackends({
      ...(options.dialKubelet === undefined ? {} : { dialKubelet: options.dialKubelet }),
      ...(options.dialCluster === undefined ? {} : { dialCluster: options.dialCluster }),
      identity: pki.kubeletClient,
      ca: pki.caCertificate,
    }),
    observe: (info, code, durationMs) => {
      metrics.observe(info, code, durationMs);
      log.debug("Request", {
        verb: info.verb,
        path: info.path,
        code,
        durationMs: Math.round(durationMs * 1000) / 1000,
      });
    },
  };

  const run = async (signal: AbortSignal): Promise<void> => {
    const own = client(loopbackUser);
    const recorder = (component: string) => createEventRecorder({ client: own, clock, log, component });
    const repairs = recorder("ipallocator-repair-controller");
    const ofDefaultCidr = recorder("kubernetes-service-cidr-controller");
    const defaultCidr = createDefaultServiceCidr({ client: own, serviceCidrs, events: ofDefaultCidr, clock });
    // Nobody is let in before the first roles are stored: they would be refused what is theirs.
    await Promise.all([
      bootstrap(own, options.config, { clientCa: pki.caCertificate, makeServiceCidr: defaultCidr.make }),
      repairAddresses(allocations.differences, { store, clock }),
    ]);
    const stopKeeping = keepAddresses({ store, clock, log, events: repairs });
    isBootstrapped = true;
    let stopDangling: (() => void) | undefined;
    const server = await listen({
      listeners: options.listeners,
      identity: pki.apiServer,
      clientCa: pki.caCertificate,
      onRequest: createHandler(handling),
      onUpgrade: createUpgradeHandler(handling),
    });
    port = server.port;
    try {
      ready.resolve();
      log.info("Serving the API", { port });
      stopDangling = keepDangling({ store, client: own, clock, log });
      const syncs = { syncDefaultServiceCidr: defaultCidr.sync, keepFlowControl: () => keepFlowControl(own) };
      const rounds = keepHouse({ store, watches, clock, log, ...syncs }, signal);
      await Promise.all([rounds, repairs.run(signal), ofDefaultCidr.run(signal)]);
    } finally {
      stopKeeping();
      stopDangling?.();
      stopped.abort();
      for (const watch of watches) watch.end();
      await server.close();
    }
  };

  return {
    name: "kube-apiserver",
    ready: ready.promise,
    run: async (signal) => {
      try {
        await run(signal);
      } catch (error) {
        ready.reject(error);
        throw error;
      }
    },
    client,
    get port() {
      return port;
    },
  };
}
