/** A node with what runs on it, added up once per change. */
import type { Node, Pod, Taint } from "../../api/generated/types.ts";
import { add, allocatable, podRequests, weighedRequests } from "./resources.ts";
import type { Amounts } from "./resources.ts";

export interface NodeState {
  readonly node: Node;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  /** Bound to it or about to be, and not ended. */
  readonly pods: readonly Pod[];
  readonly allocatable: Amounts;
  readonly requested: Amounts;
  readonly weighed: Amounts;
  /** `protocol port address` of ports of the node that pods occupy. */
  readonly hostPorts: readonly HostPort[];
}

export interface HostPort {
  readonly protocol: string;
  readonly port: number;
  /** "0.0.0.0" for all addresses. */
  readonly address: string;
}

export function nodeState(node: Node, pods: readonly Pod[]): NodeState {
  return {
    node,
    name: node.metadata?.name ?? "",
    labels: node.metadata?.labels ?? {},
    taints: effectiveTaints(node),
    pods,
    allocatable: allocatable(node),
    requested: pods.map(podRequests).reduce(add, {}),
    weighed: pods.map(weighedRequests).reduce(add, {}),
    hostPorts: pods.flatMap(hostPortsOf),
  };
}

/** The state with one more pod. */
export function withPod(state: NodeState, pod: Pod): NodeState {
  return {
    ...state,
    pods: [...state.pods, pod],
    requested: add(state.requested, podRequests(pod)),
    weighed: add(state.weighed, weighedRequests(pod)),
    hostPorts: [...state.hostPorts, ...hostPortsOf(pod)],
  };
}

/** A node that has just come and is not ready counts as tainted before the node controller has said so. */
function effectiveTaints({ spec, status }: Node): readonly Taint[] {
  const taints = spec?.taints ?? [];
  const isReady = status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True");
  if (isReady === true || taints.some(({ key }) => key === notReadyKey || key === unreachableKey)) return taints;
  return [...taints, { key: notReadyKey, effect: "NoSchedule" }];
}

const notReadyKey = "node.kubernetes.io/not-ready";
const unreachableKey = "node.kubernetes.io/unreachable";

export function hostPortsOf({ spec }: Pod): readonly HostPort[] {
  return (spec?.containers ?? []).flatMap(({ ports = [] }) =>
    ports
      .map(({ hostPort, containerPort, hostIP = "", protocol = "TCP" }) => ({
        protocol,
        port: hostPort ?? (spec?.hostNetwork === true ? containerPort : 0),
        address: hostIP === "" ? "0.0.0.0" : hostIP,
      }))
      .filter(({ port }) => port > 0),
  );
}

/** Whether a port that the pod wants of its node is taken: ports of different addresses do not meet. */
export function hostPortsCollide(pod: Pod, taken: readonly HostPort[]): boolean {
  return hostPortsOf(pod).some((wanted) => taken.some((used) => collides(wanted, used)));
}

function collides(a: HostPort, b: HostPort): boolean {
  if (a.protocol !== b.protocol || a.port !== b.port) return false;
  return a.address === b.address || a.address === "0.0.0.0" || b.address === "0.0.0.0";
}
