/** The servers that `bench/dns.ts` measures, each in a process of its own: `echo` (the floor) or `netloom`. */
import { createSocket } from "node:dgram";
import type { EndpointSlice, Namespace, Service } from "../src/api/generated/types.ts";
import type { KubernetesObject } from "../src/api/object.ts";
import { createClusterDns } from "../src/components/cluster-dns/cluster-dns.ts";
import { systemClock } from "../src/machinery/clock.ts";
import type { ListWatch } from "../src/machinery/informer/index.ts";
import { silentLogger } from "../src/machinery/log.ts";

const [kind = "netloom", portText = "0", servicesText = "1000"] = process.argv.slice(2);
const port = Number(portText);
if (kind === "echo") {
  const socket = createSocket({ type: "udp4", lookup: (name, _options, callback) => callback(null, name, 4) });
  socket.on("message", (bytes, { port: from, address }) => socket.send(bytes, 0, bytes.length, from, address));
  socket.bind(port, "127.0.0.1", () => process.stdout.write("ready\n"));
} else {
  const dns = createClusterDns({
    readCorefile: () =>
      `.:${port} {\n bind 127.0.0.1\n kubernetes cluster.local in-addr.arpa {\n pods insecure\n ttl 30\n }\n loadbalance\n}`,
    source: () => fixedSource(Number(servicesText)),
    log: silentLogger,
    clock: systemClock,
    defaultPort: 53,
    localAddresses: [],
    environment: {},
    random: Math.random,
    version: "bench",
  });
  void dns.run(new AbortController().signal);
  await dns.ready;
  process.stdout.write("ready\n");
}

/** `web-0`, `web-1`, … with cluster addresses, and one headless service of four endpoints. */
function fixedSource(count: number): ListWatch {
  const metadata = (name: string, labels: Readonly<Record<string, string>> = {}) => {
    return { name, namespace: "default", uid: name, resourceVersion: "1", labels };
  };
  const services: readonly Service[] = [
    { metadata: metadata("headless"), spec: { clusterIP: "None", clusterIPs: ["None"] } },
    ...Array.from({ length: count }, (_, index): Service => {
      const clusterIP = `10.96.${Math.floor(index / 250)}.${1 + (index % 250)}`;
      const spec = { clusterIP, clusterIPs: [clusterIP], ports: [{ name: "http", port: 80 }] };
      return { metadata: metadata(`web-${index}`), spec };
    }),
  ];
  const slices: readonly EndpointSlice[] = [
    {
      metadata: metadata("headless-1", { "kubernetes.io/service-name": "headless" }),
      addressType: "IPv4",
      endpoints: [1, 2, 3, 4].map((last) => ({ addresses: [`10.244.1.${last}`] })),
    },
  ];
  const namespaces: readonly Namespace[] = [{ metadata: { name: "default", uid: "d", resourceVersion: "1" } }];
  const items: Readonly<Record<string, readonly KubernetesObject[]>> = { services, endpointslices: slices, namespaces };
  return {
    list: (resource) =>
      Promise.resolve({ metadata: { resourceVersion: "1" }, items: (items[resource.plural] ?? []) as never[] }),
    // oxlint-disable-next-line require-yield -- no event ever comes
    watch: async function* (_resource, { signal }) {
      await new Promise((resolve) => {
        signal.addEventListener("abort", resolve);
      });
    },
  };
}
