/**
 * The node's answer to load balancers that ask whether it has endpoints of a service with externalTrafficPolicy Local: one
 * HTTP server per `healthCheckNodePort`, in the node's namespace, in upstream's form.
 */
import { createServer, type Server } from "node:http";
import { bindTcpSocket } from "../../kernel/netns/index.ts";
import type { NetworkNamespace } from "../../kernel/network-namespace.ts";
import type { Logger } from "../../machinery/log.ts";
import type { HealthCheck } from "../../model/services/index.ts";

export interface HealthChecks {
  /** Undefined `check`: the service has none (any more). */
  set(service: string, check: HealthCheck | undefined): void;
  close(): void;
}

export function createHealthChecks(options: {
  readonly namespace: NetworkNamespace;
  readonly addresses: readonly string[];
  readonly log: Logger;
}): HealthChecks {
  const checks = new Map<string, { check: HealthCheck; readonly servers: readonly Server[] }>();
  const close = (service: string): void => {
    for (const server of checks.get(service)?.servers ?? []) {
      server.close();
      server.closeAllConnections();
    }
    checks.delete(service);
  };
  const open = (service: string, check: HealthCheck): void => {
    const servers = options.addresses.map((address) =>
      listen({ ...options, address, port: check.port, service }, () => checks.get(service)?.check.localEndpoints ?? 0),
    );
    checks.set(service, { check, servers });
  };
  return {
    set: (service, check) => {
      const known = checks.get(service);
      if (check !== undefined && known?.check.port === check.port) {
        known.check = check;
        return;
      }
      close(service);
      if (check !== undefined) open(service, check);
    },
    close: () => {
      for (const service of checks.keys()) close(service);
    },
  };
}

function listen(
  target: {
    readonly namespace: NetworkNamespace;
    readonly address: string;
    readonly port: number;
    readonly service: string;
    readonly log: Logger;
  },
  localEndpoints: () => number,
): Server {
  const { namespace, address, port, service, log } = target;
  const [serviceNamespace = "", name = ""] = service.split("/");
  const server = createServer((_, response) => {
    const count = localEndpoints();
    response.writeHead(count > 0 ? 200 : 503, {
      "content-type": "application/json",
      "x-content-type-options": "nosniff",
      "x-load-balancing-endpoint-weight": String(count),
    });
    const body = { service: { namespace: serviceNamespace, name }, localEndpoints: count, serviceProxyHealthy: true };
    response.end(JSON.stringify(body));
  });
  const fail = (error: unknown): void =>
    log.warn("cannot answer a load balancer's health checks", { service, port, error });
  server.on("error", fail);
  try {
    server.listen({ fd: namespace.run(() => bindTcpSocket({ address, port })) });
  } catch (error) {
    fail(error);
  }
  return server;
}
