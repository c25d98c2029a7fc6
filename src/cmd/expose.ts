/** `netloom expose service/NAME PORT`: a port of this host's loopback addresses for a Service. */
import { createServer, connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Service } from "../api/generated/types.ts";
import { resources } from "../api/resources.ts";
import type { ApiClient } from "../client/index.ts";
import {
  exposeAnnotation,
  exposedPort,
  type Exposure,
  exposingHosts,
  exposuresOf,
  formatExposures,
} from "../components/published-ports/index.ts";
import { hostPort as addressText } from "../lib/ip/index.ts";
import { asAdministrator } from "./admin-client.ts";
import { CommandError, runningCluster } from "./clusters.ts";

export interface ExposeOptions {
  readonly name: string;
  readonly namespace: string;
  /** "service/web", "svc/web". */
  readonly target: string;
  /** "8080", or "8080:80" and "8080:https" for a Service with several ports. */
  readonly port: string;
  readonly isRemoved: boolean;
}

/** Resolves with what to tell the user, once the port answers (or no longer does). */
export async function expose(options: ExposeOptions): Promise<string> {
  const { config } = runningCluster(options.name);
  const [, serviceName] = /^(?:service|services|svc)\/(.+)$/.exec(options.target) ?? [];
  if (serviceName === undefined) {
    throw new CommandError(`Cannot expose "${options.target}": name a Service, such as service/web`);
  }
  const { hostPort, wanted } = readPort(options.port);
  const hosts = exposingHosts(config.nodes);
  return await asAdministrator(config, async (client) => {
    const key = { namespace: options.namespace, name: serviceName };
    const service = await client.get(resources.services, key);
    const others = exposuresOf(service).filter((exposure) => exposure.hostPort !== hostPort);
    if (options.isRemoved) {
      if (others.length === exposuresOf(service).length) {
        throw new CommandError(
          `Cannot take 127.0.0.1:${hostPort} from service/${serviceName}: it is not exposed there`,
        );
      }
      await annotate(client, service, others);
      const places = hosts.map((host) => addressText(host, hostPort));
      return `${places.join(", ")} no longer ${places.length === 1 ? "leads" : "lead"} to service/${serviceName}\n`;
    }
    const servicePort = choosePort(service, wanted);
    const isAlreadyOurs = others.length < exposuresOf(service).length;
    const usable = await freePlaces(hosts, { port: hostPort, isOurs: isAlreadyOurs });
    await annotate(client, service, [...others, { hostPort, servicePort }]);
    const port = exposedPort(service, { servicePort });
    const isTcp = (port?.protocol ?? "TCP") === "TCP";
    if (isTcp) for (const host of usable) await untilItListens({ host, port: hostPort });
    const places = usable.map((host) => addressText(host, hostPort)).join(", ");
    return `${isTcp ? "" : "udp "}${places} -> service/${serviceName}:${port?.port} (${service.spec?.clusterIP}), until the Service goes or --remove\n`;
  });
}

function readPort(text: string): { readonly hostPort: number; readonly wanted: string | undefined } {
  const match = /^(\d{1,5})(?::(.+))?$/.exec(text);
  const hostPort = Number(match?.[1]);
  if (match === null || hostPort < 1 || hostPort > 65_535) {
    throw new CommandError(`Cannot use port "${text}": write PORT, or PORT:SERVICE-PORT such as 8080:80 or 8080:https`);
  }
  return { hostPort, wanted: match[2] };
}

/** The Service's port to lead to: the one asked for, or the only one. */
function choosePort(service: Service, wanted: string | undefined): string {
  const name = service.metadata?.name ?? "";
  const { clusterIP, type } = service.spec ?? {};
  if (clusterIP === undefined || clusterIP === "" || clusterIP === "None" || type === "ExternalName") {
    throw new CommandError(
      `Cannot expose service/${name}: it has no address of its own (${type === "ExternalName" ? type : "headless"}); use kubectl port-forward to a pod`,
    );
  }
  const ports = service.spec?.ports ?? [];
  const known = ports
    .map((port) => (port.name === undefined ? `${port.port}` : `${port.name} (${port.port})`))
    .join(", ");
  if (wanted !== undefined) {
    if (exposedPort(service, { servicePort: wanted }) !== undefined) return wanted;
    throw new CommandError(`Cannot expose service/${name}: it has no port "${wanted}"; choose one of ${known}`);
  }
  const [only, ...more] = ports;
  if (only === undefined || more.length > 0) {
    throw new CommandError(`Cannot expose service/${name}: say which of its ports, as PORT:SERVICE-PORT, of ${known}`);
  }
  return `${only.port}`;
}

async function annotate(client: ApiClient, service: Service, exposures: readonly Exposure[]): Promise<void> {
  const { namespace = "default", name = "" } = service.metadata ?? {};
  const value = exposures.length === 0 ? null : formatExposures(exposures);
  await client.patch(
    resources.services,
    { namespace, name },
    { type: "merge", body: { metadata: { annotations: { [exposeAnnotation]: value } } } },
  );
}

/**
 * The hosts where the port can be listened on: all of those that the machine has. The server process will listen there; it has
 * this user's rights, and so has the trial. Rejects with `CommandError` where another program does; with `isOurs` that is it.
 */
async function freePlaces(
  hosts: readonly string[],
  { port, isOurs }: { readonly port: number; readonly isOurs: boolean },
): Promise<readonly string[]> {
  const trials = await Promise.all(hosts.map(async (host) => ({ host, error: await tryToListen({ host, port }) })));
  const present = trials.filter(({ error }) => !["EADDRNOTAVAIL", "EAFNOSUPPORT"].includes(error?.code ?? ""));
  for (const { host, error } of present) {
    if (error === undefined || (isOurs && error.code === "EADDRINUSE")) continue;
    throw new CommandError(
      error.code === "EACCES"
        ? `Cannot listen on ${addressText(host, port)}: ports below 1024 are root's; choose one above`
        : `Cannot listen on ${addressText(host, port)}: another program does; choose another port`,
      { cause: error },
    );
  }
  return present.map(({ host }) => host);
}

interface Place {
  readonly host: string;
  readonly port: number;
}

async function tryToListen(place: Place): Promise<NodeJS.ErrnoException | undefined> {
  return await new Promise((resolve) => {
    const server = createServer();
    server.once("error", resolve);
    server.listen({ ...place, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

const patienceMs = 5000;

async function untilItListens({ host, port }: Place): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (Date.now() < deadline) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect({ host, port });
      socket.once("connect", () => resolve(true));
      socket.once("error", () => resolve(false));
      socket.once("close", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
    if (isOpen) return;
    await sleep(20);
  }
  throw new CommandError(`Nothing listens on ${addressText(host, port)} yet: see "netloom logs server" for the reason`);
}
