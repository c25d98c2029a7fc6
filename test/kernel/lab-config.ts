import type { ClusterConfig } from "../../src/model/cluster-config.ts";

/** A cluster of two nodes whose folders lie in `dir`. */
export function labConfig(dir: string): ClusterConfig {
  return {
    name: "test",
    stateDir: `${dir}/state`,
    runDir: `${dir}/run`,
    toolsDir: `${dir}/tools`,
    nodes: [1, 2].map((index) => ({
      name: `node-${index}`,
      address: `192.168.60.1${index}`,
      podCidr: `10.244.${index}.0/24`,
      loopbackAddress: `127.60.0.${index}`,
    })),
    nodeCidr: "192.168.60.0/24",
    controlPlaneAddress: "192.168.60.1",
    podCidr: "10.244.0.0/16",
    serviceCidr: "10.96.0.0/12",
    outsideCidr: "192.168.61.0/24",
    outsideRouterAddress: "192.168.61.1",
    outsideAddress: "192.168.61.2",
    clusterDomain: "cluster.local",
    dnsServiceAddress: "10.96.0.10",
    kubernetesServiceAddress: "10.96.0.1",
    nodePortRange: { first: 30_000, last: 32_767 },
    loopbackIndex: 60,
    apiPort: 6443,
    images: ["catalog"],
    maxPods: 110,
    auditLog: false,
  };
}
