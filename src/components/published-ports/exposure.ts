/** What `netloom expose` asks for, kept on the Service itself: it ends with it, and anybody can see and change it. */
import type { Service, ServicePort } from "../../api/generated/types.ts";

/** "8080:80,8443:https": ports of the host's 127.0.0.1, and the Service's ports by number or name. */
export const exposeAnnotation = "netloom.dev/expose";

export interface Exposure {
  readonly hostPort: number;
  /** Number or name. */
  readonly servicePort: string;
}

/** Entries that say nothing sensible are left out; `mistakes` has them as they were written. */
export function parseExposures(text: string): {
  readonly exposures: readonly Exposure[];
  readonly mistakes: readonly string[];
} {
  const exposures: Exposure[] = [];
  const mistakes: string[] = [];
  for (const entry of text.split(",").map((part) => part.trim())) {
    if (entry === "") continue;
    const [, port = "", servicePort = ""] = /^(\d{1,5}):(\d{1,5}|[a-z0-9-]{1,15})$/.exec(entry) ?? [];
    const hostPort = Number(port);
    const isTaken = exposures.some((exposure) => exposure.hostPort === hostPort);
    if (hostPort < 1 || hostPort > 65_535 || isTaken) mistakes.push(entry);
    else exposures.push({ hostPort, servicePort });
  }
  return { exposures, mistakes };
}

export const formatExposures = (exposures: readonly Exposure[]): string =>
  exposures.map(({ hostPort, servicePort }) => `${hostPort}:${servicePort}`).join(",");

export const exposuresOf = (service: Service): readonly Exposure[] =>
  parseExposures(service.metadata?.annotations?.[exposeAnnotation] ?? "").exposures;

/** The Service's port that an exposure names; a name before a number, as Kubernetes has it. */
export function exposedPort(service: Service, { servicePort }: Pick<Exposure, "servicePort">): ServicePort | undefined {
  const ports = service.spec?.ports ?? [];
  return ports.find(({ name }) => name === servicePort) ?? ports.find(({ port }) => `${port}` === servicePort);
}
