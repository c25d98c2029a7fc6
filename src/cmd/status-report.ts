/** Everything `netloom status` tells, as data. */
import { callControl, type HolderStatus } from "../machinery/control-socket/index.ts";
import { clusterPaths, metricsListener } from "../model/cluster-config.ts";
import type { RunningCluster } from "./clusters.ts";
import { hostProcesses, memoryOf, startOf } from "./host-processes.ts";
import { countInKernel } from "./ask-kernel.ts";
import { askOverview } from "./overview/index.ts";
import { kubernetesVersion } from "./version.ts";

export interface ProcessStatus {
  readonly name: string;
  readonly state: "running" | "restarting";
  /** On the host. */
  readonly pid: number | undefined;
  readonly restarts: number;
  readonly startedAt: string | undefined;
  readonly memoryBytes: number | undefined;
  /** Why it cannot go on; only where that is so. */
  readonly failure?: string;
}

export interface NodeStatusReport {
  readonly name: string;
  /** As kubectl words it: "Ready", "NotReady"; "Unknown" where the API does not answer; "Off" where it was stopped. */
  readonly status: string;
  /** Of each family, separated by commas, the primary one first; the ranges below likewise. */
  readonly address: string;
  readonly podCidr: string;
  /** Where this host reaches the node's ports. */
  readonly loopbackAddress: string;
  readonly pods: number | undefined;
  /** Of the kernel; only in a detailed report. */
  readonly kernel?: {
    readonly rules: number;
    readonly elements: number;
    readonly routes: number;
    readonly links: number;
    readonly connections: number;
  };
}

export interface StatusReport {
  readonly name: string;
  readonly kubernetesVersion: string;
  /** How pods of different nodes reach each other: "host-gw", "vxlan". */
  readonly network: string;
  readonly addresses: {
    readonly api: string;
    readonly metrics: string;
    readonly dns: string;
    readonly outside: string;
    readonly nodeCidr: string;
    readonly podCidr: string;
    readonly serviceCidr: string;
  };
  readonly folders: { readonly state: string; readonly run: string };
  readonly processes: readonly ProcessStatus[];
  /** Of all processes of the cluster, containers included. */
  readonly memoryBytes: number;
  readonly nodes: readonly NodeStatusReport[];
}

/** Rejects where the holder does not answer. `isDetailed` also asks the kernel. */
export async function statusReport(
  cluster: RunningCluster,
  { isDetailed }: { readonly isDetailed: boolean },
): Promise<StatusReport> {
  const { config, supervisor, initPid } = cluster;
  const holding = callControl(clusterPaths(config).holderSocket, { operation: "status" });
  const [holder, known, kernel] = await Promise.all([
    holding,
    // Whatever is wrong with the server, the rest is told: this is the command one asks when something is wrong.
    askOverview(config, "server", { about: "nodes" }).catch(() => undefined),
    isDetailed ? holding.then(async (told) => await countInKernel(cluster, agentsOf(told))) : [],
  ]);
  const isOff = (node: string): boolean => holder.nodes.some(({ name, state }) => name === node && state === "stopped");
  const metrics = metricsListener(config);
  const onHost = hostProcesses(initPid);
  const supervisorMemory = memoryOf(supervisor.pid);
  const holderProcess = onHost.find(({ innerPid }) => innerPid === 2);
  return {
    name: config.name,
    kubernetesVersion,
    network: config.network,
    addresses: {
      api: `https://127.0.0.1:${config.apiPort}`,
      metrics: `http://${metrics.host}:${metrics.port}/metrics`,
      dns: config.dnsServiceAddress,
      outside: listed(config.outsideAddresses),
      nodeCidr: listed(config.nodeCidrs),
      podCidr: listed(config.podCidrs),
      serviceCidr: listed(config.serviceCidrs),
    },
    folders: { state: config.stateDir, run: config.runDir },
    processes: [
      own("supervisor", supervisor.pid, supervisorMemory),
      own("holder", holderProcess?.pid, holderProcess?.memoryBytes),
      ...holder.components.map(({ name, pid, restarts, startedAtMs, failure }): ProcessStatus => {
        const process = onHost.find(({ innerPid }) => innerPid === pid);
        return {
          name,
          state: pid === undefined ? "restarting" : "running",
          pid: process?.pid,
          restarts,
          startedAt: startedAtMs === undefined ? undefined : new Date(startedAtMs).toISOString(),
          memoryBytes: process?.memoryBytes,
          ...(failure === undefined ? {} : { failure }),
        };
      }),
    ],
    memoryBytes: onHost.reduce((sum, { memoryBytes }) => sum + memoryBytes, supervisorMemory ?? 0),
    nodes: config.nodes.map(({ name, addresses, podCidrs, loopbackAddress }) => {
      const inKernel = kernel.find((report) => report.name === name);
      const node = known?.find((one) => one.name === name);
      return {
        name,
        status: isOff(name) ? "Off" : known === undefined ? "Unknown" : (node?.status ?? "NotRegistered"),
        address: listed(addresses),
        podCidr: listed(podCidrs),
        loopbackAddress,
        pods: node?.pods,
        ...(inKernel === undefined
          ? {}
          : {
              kernel: {
                rules: inKernel.rules,
                elements: inKernel.elements,
                routes: inKernel.routes,
                links: inKernel.links,
                connections: inKernel.connections,
              },
            }),
      };
    }),
  };
}

/** One that nobody restarts: with it the cluster ends. */
const own = (name: string, pid: number | undefined, memoryBytes: number | undefined): ProcessStatus => ({
  name,
  state: "running",
  pid,
  restarts: 0,
  startedAt: pid === undefined ? undefined : startOf(pid)?.toISOString(),
  memoryBytes,
});

const agentsOf = ({ components }: HolderStatus): readonly string[] =>
  components.map(({ name }) => name).filter((name) => name.startsWith("agent-"));

/** As `--pod-cidr` takes it. */
const listed = (values: readonly string[]): string => values.join(",");
