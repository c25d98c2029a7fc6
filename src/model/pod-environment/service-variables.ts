/** The variables by which containers find Services without DNS. */
import type { Service, ServicePort } from "../../api/generated/types.ts";

/**
 * `WEB_SERVICE_HOST`, `WEB_SERVICE_PORT`, one `WEB_SERVICE_PORT_<NAME>` per named port, and Docker's link variables
 * (`WEB_PORT_80_TCP_ADDR`, …). Headless and external Services have none.
 */
export function serviceVariables(services: readonly Service[]): ReadonlyMap<string, string> {
  const variables = new Map<string, string>();
  for (const service of services.toSorted(byName)) {
    const { clusterIP = "", ports = [], type } = service.spec ?? {};
    if (clusterIP === "" || clusterIP === "None" || type === "ExternalName" || ports[0] === undefined) continue;
    const prefix = variableName(service.metadata?.name ?? "");
    variables.set(`${prefix}_SERVICE_HOST`, clusterIP);
    variables.set(`${prefix}_SERVICE_PORT`, String(ports[0].port));
    for (const { name = "", port } of ports) {
      if (name !== "") variables.set(`${prefix}_SERVICE_PORT_${variableName(name)}`, String(port));
    }
    addLinks(variables, { prefix, host: clusterIP, ports });
  }
  return variables;
}

function addLinks(
  variables: Map<string, string>,
  { prefix, host, ports }: { readonly prefix: string; readonly host: string; readonly ports: readonly ServicePort[] },
): void {
  const address = host.includes(":") ? `[${host}]` : host;
  ports.forEach(({ port, protocol = "TCP" }, index) => {
    const scheme = protocol.toLowerCase();
    const link = `${prefix}_PORT_${port}_${protocol.toUpperCase()}`;
    const url = `${scheme}://${address}:${port}`;
    if (index === 0) variables.set(`${prefix}_PORT`, url);
    variables.set(link, url);
    variables.set(`${link}_PROTO`, scheme);
    variables.set(`${link}_PORT`, String(port));
    variables.set(`${link}_ADDR`, host);
  });
}

function byName(a: Service, b: Service): number {
  return (a.metadata?.name ?? "") < (b.metadata?.name ?? "") ? -1 : 1;
}

function variableName(name: string): string {
  return name.toUpperCase().replaceAll("-", "_");
}
