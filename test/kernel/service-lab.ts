/**
 * Two nodes with two pods each on a bridge, and a client beyond the router, in both families: namespaces with real links
 * and real sockets, all driven from this process.
 *
 *   outside ── lan (router, bridge) ─┬─ node-1 ─┬─ pod a1
 *                                    │          └─ pod b1
 *                                    └─ node-2 ─┬─ pod a2
 *                                               └─ pod b2
 */
import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { NetworkNamespace } from "../../src/kernel/network-namespace.ts";
import {
  adoptConnectingSocket,
  bindTcpSocket,
  bindUdpSocket,
  connectTcpSocket,
  createNetworkNamespace,
  removeNetworkNamespace,
} from "../../src/kernel/netns/index.ts";
import { parseCidr, parseIpAddress } from "../../src/lib/ip/index.ts";
import type { NodeNetwork } from "../../src/model/services/index.ts";
import { patience } from "../patience.ts";

const hostMac = "ee:ee:ee:ee:ee:ee";
const hosts = ["lan", "outside", "node-1", "node-2", "a1", "b1", "a2", "b2"] as const;
export type Host = (typeof hosts)[number];

/** IPv4 and IPv6 address of each host. */
export const addresses: Readonly<Record<Host, readonly [string, string]>> = {
  lan: ["192.168.60.1", "fd00:60::1"],
  outside: ["192.168.61.2", "fd00:61::2"],
  "node-1": ["192.168.60.11", "fd00:60::11"],
  "node-2": ["192.168.60.12", "fd00:60::12"],
  a1: ["10.244.1.10", "fd00:244:1::10"],
  b1: ["10.244.1.11", "fd00:244:1::11"],
  a2: ["10.244.2.10", "fd00:244:2::10"],
  b2: ["10.244.2.11", "fd00:244:2::11"],
};

export function nodeOf(name: "node-1" | "node-2"): NodeNetwork {
  const index = name.at(-1);
  return {
    name,
    addresses: addresses[name].map(parseIpAddress),
    podCidrs: [parseCidr(`10.244.${index}.0/24`), parseCidr(`fd00:244:${index}::/64`)],
    clusterCidrs: ["10.244.0.0/16", "192.168.60.0/24", "fd00:244::/32", "fd00:60::/64"].map((cidr) => parseCidr(cidr)),
    serviceCidrs: [parseCidr("10.96.0.0/12"), parseCidr("fd00:96::/112")],
    podInterfacePrefix: "v",
  };
}

/** Who answered, and from which address the request seemed to come. */
export interface Answer {
  readonly from: string;
  readonly seen: string;
}

export interface ServiceLab {
  readonly namespaces: Readonly<Record<Host, NetworkNamespace>>;
  /** Answers TCP and UDP on all of the host's addresses with its name and the client's address. */
  serve(host: Host, port: number): Promise<void>;
  /** Takes UDP at the host's addresses and says nothing. */
  occupy(host: Host, port: number): Promise<void>;
  /** Rejects with the connection's error ("ECONNREFUSED"), or "ETIMEDOUT" after `timeoutMs`. */
  tcp(from: Host, address: string, port: number, timeoutMs?: number): Promise<Answer>;
  udp(from: Host, address: string, port: number, options?: { readonly sourcePort?: number }): Promise<Answer>;
  /** GET / of an HTTP server that answers with JSON. */
  http(from: Host, address: string, port: number): Promise<{ readonly status: number; readonly body: unknown }>;
  /** Runs a program in the host's namespace and returns what it prints. */
  run(host: Host, ...command: readonly string[]): string;
  close(): void;
}

export function createServiceLab(): ServiceLab {
  const dir = mkdtempSync(join(tmpdir(), "netloom-services-"));
  const namespaces = Object.fromEntries(
    hosts.map((host) => [host, createNetworkNamespace(`${dir}/${host}`)]),
  ) as Record<Host, NetworkNamespace>;
  const run = (host: Host, ...command: readonly string[]): string =>
    execFileSync("nsenter", [`--net=${namespaces[host].path}`, ...command], { encoding: "utf8" });
  const cable = (host: Host, link: string, peer: Host, peerLink: string): void => {
    run(host, "ip", "link", "add", link, "type", "veth", "peer", "name", peerLink, "netns", namespaces[peer].path);
  };
  const closers: (() => void)[] = [];

  cable("lan", "outside", "outside", "eth0");
  for (const node of ["node-1", "node-2"] as const) {
    cable("lan", node, node, "eth0");
    for (const pod of podsOf(node)) cable(node, `v${pod}`, pod, "eth0");
  }
  for (const host of hosts) {
    execFileSync("nsenter", [`--net=${namespaces[host].path}`, "sh", "-e"], { input: setUp(host) });
  }

  return {
    namespaces,
    run,
    serve: async (host, port) => {
      for (const address of addresses[host]) {
        const server = serveTcp(namespaces[host], host, { address, port });
        await once(server, "listening");
        const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
        socket.on("message", (_, peer) =>
          socket.send(JSON.stringify({ from: host, seen: peer.address }), peer.port, peer.address),
        );
        const fd = namespaces[host].run(() => bindUdpSocket({ address, port }));
        socket.bind({ fd });
        closers.push(
          () => server.close(),
          () => socket.close(),
        );
      }
    },
    occupy: async (host, port) => {
      for (const address of addresses[host]) {
        const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
        socket.bind({ fd: namespaces[host].run(() => bindUdpSocket({ address, port })) });
        closers.push(() => socket.close());
      }
    },
    tcp: async (from, address, port, timeoutMs = 3000) => {
      const fd = namespaces[from].run(() => connectTcpSocket({ address, port }));
      const timeout = AbortSignal.timeout(timeoutMs * patience);
      const socket = await adoptConnectingSocket(fd, timeout);
      return JSON.parse(await text(socket)) as Answer;
    },
    http: async (from, address, port) => {
      const socket = await adoptConnectingSocket(namespaces[from].run(() => connectTcpSocket({ address, port })));
      socket.write("GET / HTTP/1.0\r\n\r\n");
      const [head = "", body = ""] = (await text(socket)).split("\r\n\r\n");
      return { status: Number(head.split(" ")[1]), body: JSON.parse(body) as unknown };
    },
    udp: async (from, address, port, options = {}) => {
      const isV6 = address.includes(":");
      const socket = createSocket(isV6 ? "udp6" : "udp4");
      try {
        const any = isV6 ? "::" : "0.0.0.0";
        const fd = namespaces[from].run(() => bindUdpSocket({ address: any, port: options.sourcePort ?? 0 }));
        socket.bind({ fd });
        socket.send("?", port, address);
        const [message] = (await once(socket, "message", { signal: AbortSignal.timeout(1000 * patience) })) as [Buffer];
        return JSON.parse(message.toString()) as Answer;
      } finally {
        socket.close();
      }
    },
    close: () => {
      for (const close of closers) close();
      for (const host of hosts) {
        namespaces[host].close();
        removeNetworkNamespace(namespaces[host].path);
      }
      rmSync(dir, { recursive: true });
    },
  };
}

function serveTcp(
  namespace: NetworkNamespace,
  host: Host,
  at: { readonly address: string; readonly port: number },
): Server {
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.end(JSON.stringify({ from: host, seen: socket.remoteAddress }));
  });
  server.listen({ fd: namespace.run(() => bindTcpSocket(at)) });
  return server;
}

function podsOf(node: "node-1" | "node-2"): readonly Host[] {
  return node === "node-1" ? ["a1", "b1"] : ["a2", "b2"];
}

function setUp(host: Host): string {
  const [v4, v6] = addresses[host];
  const lines = [
    "ip link set lo up",
    "for setting in /proc/sys/net/ipv6/conf/*/accept_dad; do echo 0 > $setting; done",
  ];
  if (host === "lan") {
    lines.push(
      "ip link add lan0 type bridge",
      "ip link set node-1 master lan0 up",
      "ip link set node-2 master lan0 up",
      "ip link set lan0 up",
      "ip link set outside up",
      `ip addr add ${v4}/24 dev lan0`,
      `ip addr add ${v6}/64 dev lan0 nodad`,
      "ip addr add 192.168.61.1/24 dev outside",
      "ip addr add fd00:61::1/64 dev outside nodad",
      ...forwarding,
    );
    return lines.join("\n");
  }
  lines.push("ip link set eth0 up");
  if (host === "outside") {
    lines.push(`ip addr add ${v4}/24 dev eth0`, `ip addr add ${v6}/64 dev eth0 nodad`);
    lines.push("ip route add default via 192.168.61.1", "ip -6 route add default via fd00:61::1");
  } else if (host === "node-1" || host === "node-2") {
    const other = host === "node-1" ? "node-2" : "node-1";
    const [otherV4, otherV6] = addresses[other];
    const index = other.at(-1);
    lines.push(
      ...forwarding,
      `ip addr add ${v4}/24 dev eth0`,
      `ip addr add ${v6}/64 dev eth0 nodad`,
      `ip route add default via ${addresses.lan[0]}`,
      `ip -6 route add default via ${addresses.lan[1]}`,
      `ip route add 10.244.${index}.0/24 via ${otherV4}`,
      `ip -6 route add fd00:244:${index}::/64 via ${otherV6}`,
      ...podsOf(host).flatMap((pod) => [
        `ip link set v${pod} address ${hostMac} up`,
        `ip addr add fe80::1/64 dev v${pod} nodad`,
        `echo 1 > /proc/sys/net/ipv4/conf/v${pod}/proxy_arp`,
        `ip route add ${addresses[pod][0]} dev v${pod}`,
        `ip -6 route add ${addresses[pod][1]} dev v${pod}`,
      ]),
    );
  } else {
    lines.push(
      `ip addr add ${v4}/32 dev eth0`,
      `ip addr add ${v6}/128 dev eth0 nodad`,
      "ip route add 169.254.1.1 dev eth0",
      // As the pod network does: proxy_arp alone answers after up to 0.8 s.
      `ip neigh add 169.254.1.1 lladdr ${hostMac} dev eth0`,
      "ip route add default via 169.254.1.1 dev eth0",
      "ip -6 route add default via fe80::1 dev eth0",
    );
  }
  return lines.join("\n");
}

const forwarding = [
  "echo 1 > /proc/sys/net/ipv4/ip_forward",
  "echo 1 > /proc/sys/net/ipv6/conf/all/forwarding",
  "echo 0 > /proc/sys/net/ipv4/conf/all/rp_filter",
  "echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet",
];
