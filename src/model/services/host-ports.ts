import type { Pod } from "../../api/generated/types.ts";
import { isIpAddress, parseIpAddress } from "../../lib/ip/index.ts";
import type { HostPort } from "./plan.ts";

const protocols: Readonly<Record<string, HostPort["protocol"]>> = { TCP: "tcp", UDP: "udp", SCTP: "sctp" };
/** "Any address" in a manifest is as good as none. */
const anyAddress = new Set(["", "0.0.0.0", "::"]);

/**
 * The host ports of a node's pods. Pods on the node's own network need none: they listen on the node itself. Pods that
 * have ended, or have no address yet, hold no port.
 */
export function hostPortsOf(pods: Iterable<Pod>): readonly HostPort[] {
  const found: HostPort[] = [];
  for (const pod of pods) {
    const { podIP, podIPs = [], phase } = pod.status ?? {};
    if (pod.spec?.hostNetwork === true || phase === "Succeeded" || phase === "Failed") continue;
    const addresses = podIPs.length > 0 ? podIPs.map(({ ip }) => ip) : podIP === undefined ? [] : [podIP];
    for (const { containerPort, hostPort, hostIP = "", name, protocol = "TCP" } of portsOf(pod)) {
      const transport = protocols[protocol];
      if (hostPort === undefined || hostPort === 0 || transport === undefined) continue;
      for (const address of addresses.filter(isIpAddress)) {
        found.push({
          hostAddress: anyAddress.has(hostIP) || !isIpAddress(hostIP) ? undefined : parseIpAddress(hostIP),
          protocol: transport,
          hostPort,
          podAddress: parseIpAddress(address),
          containerPort,
          cause: {
            kind: "Pod",
            ...(pod.metadata?.namespace === undefined ? {} : { namespace: pod.metadata.namespace }),
            name: pod.metadata?.name ?? "",
            detail: `hostPort ${name ?? hostPort}`,
          },
        });
      }
    }
  }
  return found;
}

function portsOf(pod: Pod) {
  const sidecars = (pod.spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  return [...(pod.spec?.containers ?? []), ...sidecars].flatMap(({ ports = [] }) => ports);
}
