/** The Node as this kubelet registers and reports it. */
import type { Node, NodeCondition, NodeStatus } from "../../../api/generated/types.ts";
import type { NodeConfig } from "../../../model/cluster-config.ts";
import { isoSeconds } from "../../../model/pod-lifecycle/index.ts";
import type { Machine, Pressure } from "./machine.ts";

const kubeletVersion = "v1.35.0+netloom";

export interface NodeFacts {
  readonly node: NodeConfig;
  readonly machine: Machine;
  readonly isControlPlane: boolean;
  readonly servingPort: number;
  /** How many pods the node takes. */
  readonly maxPods: number;
}

export function nodeObject({ node, machine, isControlPlane }: NodeFacts): Node {
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name: node.name,
      labels: {
        "beta.kubernetes.io/arch": machine.architecture,
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": machine.architecture,
        "kubernetes.io/hostname": node.name,
        "kubernetes.io/os": "linux",
        ...(isControlPlane ? { "node-role.kubernetes.io/control-plane": "" } : {}),
      },
      annotations: { "volumes.kubernetes.io/controller-managed-attach-detach": "true" },
    },
    spec: { podCIDR: node.podCidrs[0], podCIDRs: node.podCidrs },
  };
}

export function nodeStatus(
  { node, machine, servingPort, maxPods }: NodeFacts,
  now: {
    readonly nowMs: number;
    readonly pressure: Pressure;
    readonly images: readonly { readonly names: readonly string[]; readonly sizeBytes: number }[];
    readonly before: readonly NodeCondition[];
    /** "crun://1.21". */
    readonly runtimeVersion: string;
  },
): NodeStatus {
  const resources = {
    cpu: String(machine.cpus),
    "ephemeral-storage": `${Math.floor(machine.diskBytes / 1024)}Ki`,
    memory: `${Math.floor(machine.memoryBytes / 1024)}Ki`,
    pods: String(maxPods),
  };
  return {
    addresses: [
      ...node.addresses.map((address) => ({ type: "InternalIP", address })),
      { type: "Hostname", address: node.name },
    ],
    allocatable: resources,
    capacity: resources,
    conditions: nodeConditions(now),
    daemonEndpoints: { kubeletEndpoint: { Port: servingPort } },
    images: now.images,
    nodeInfo: {
      architecture: machine.architecture,
      bootID: machine.bootId,
      containerRuntimeVersion: now.runtimeVersion,
      kernelVersion: machine.kernelVersion,
      kubeProxyVersion: "",
      kubeletVersion,
      machineID: machine.machineId,
      operatingSystem: "linux",
      osImage: machine.osImage,
      systemUUID: machine.machineId,
    },
  };
}

interface Verdict {
  readonly type: string;
  readonly status: "True" | "False";
  readonly reason: string;
  readonly message: string;
}

function nodeConditions(now: {
  readonly nowMs: number;
  readonly pressure: Pressure;
  readonly before: readonly NodeCondition[];
}): readonly NodeCondition[] {
  const { memory, disk, pids } = now.pressure;
  const verdicts: readonly Verdict[] = [
    memory
      ? pressed("MemoryPressure", "KubeletHasInsufficientMemory", "kubelet has insufficient memory available")
      : calm("MemoryPressure", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    disk
      ? pressed("DiskPressure", "KubeletHasDiskPressure", "kubelet has disk pressure")
      : calm("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    pids
      ? pressed("PIDPressure", "KubeletHasInsufficientPID", "kubelet has insufficient PID available")
      : calm("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    { type: "Ready", status: "True", reason: "KubeletReady", message: "kubelet is posting ready status" },
  ];
  const time = isoSeconds(now.nowMs);
  return verdicts.map((verdict) => {
    const before = now.before.find(({ type }) => type === verdict.type);
    const since = before?.status === verdict.status ? before.lastTransitionTime : undefined;
    return { ...verdict, lastHeartbeatTime: time, lastTransitionTime: since ?? time };
  });
}

function pressed(type: string, reason: string, message: string): Verdict {
  return { type, status: "True", reason, message };
}

function calm(type: string, reason: string, message: string): Verdict {
  return { type, status: "False", reason, message };
}
