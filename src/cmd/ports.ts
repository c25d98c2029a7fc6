/** `netloom ports`: which addresses of this host lead to which Services. */
import { existsSync, readFileSync } from "node:fs";
import { hostPort, ipFromBytes } from "../lib/ip/index.ts";
import { runningCluster } from "./clusters.ts";
import { formatted } from "./output.ts";
import { askOverview, type PortOverview } from "./overview/index.ts";
import { table } from "./table.ts";

export interface PortsOptions {
  readonly name: string;
  /** Undefined: of all namespaces. */
  readonly namespace: string | undefined;
  readonly format: "table" | "json" | "yaml";
}

export async function ports({ name, namespace, format }: PortsOptions): Promise<string> {
  const { config } = runningCluster(name);
  const published = await askOverview(config, "server", {
    about: "ports",
    ...(namespace === undefined ? {} : { namespace }),
  });
  const listening = { TCP: listeningAddresses("tcp"), UDP: listeningAddresses("udp") };
  const rows = published.map(({ host, protocol, cluster, service }): PortRow => {
    const state = listening[protocol].has(host) ? "open" : "closed";
    return { host, protocol, cluster, service, state };
  });
  if (format !== "table") return await formatted(rows, format);
  if (rows.length === 0) {
    return 'No Service has a port on this host: make one of type NodePort, or "netloom expose service/NAME PORT"\n';
  }
  const cells = rows.map(({ host, protocol, cluster, service, state }) => [host, protocol, cluster, service, state]);
  return `${table([["THIS HOST", "PROTOCOL", "CLUSTER", "SERVICE", "STATE"], ...cells])}\n`;
}

interface PortRow extends PortOverview {
  /** `closed`: nothing listens, because another program has the port, or because the server only starts. */
  readonly state: "open" | "closed";
}

/** TCP_LISTEN and, for UDP, which has no connections, the state the kernel shows instead (TCP_CLOSE). */
const stateOf = { tcp: "0A", udp: "07" } as const;

/** Lines of /proc/net/tcp and tcp6: "0: 0100007F:192B 00000000:0000 0A …", the address in the machine's own integers. */
function listeningAddresses(protocol: "tcp" | "udp"): ReadonlySet<string> {
  const found = new Set<string>();
  for (const path of [`/proc/net/${protocol}`, `/proc/net/${protocol}6`]) {
    // Without IPv6 in the kernel there is no second file.
    if (!existsSync(path)) continue;
    for (const line of readFileSync(path, "utf8").split("\n").slice(1)) {
      const [, local = "", , state] = line.trim().split(/\s+/);
      const [address = "", port = ""] = local.split(":");
      if (state !== stateOf[protocol]) continue;
      // Both architectures that netloom is made for are little-endian.
      const bytes = Buffer.from(address, "hex").swap32();
      found.add(hostPort(ipFromBytes(bytes), Number.parseInt(port, 16)));
    }
  }
  return found;
}
