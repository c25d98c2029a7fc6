/** Whether the node can take a pod that names it; the scheduler is not the only one who may. */
import type { Pod } from "../../../api/generated/types.ts";
import { hostPortsCollide, hostPortsOf, podRequests } from "../../../model/scheduling/index.ts";
import { forbiddenSysctl } from "./sysctls.ts";

interface Rejection {
  readonly reason: string;
  readonly message: string;
}

/** What the node gives to pods: milli-CPUs, bytes, a count. */
export interface NodeResources {
  readonly cpu: number;
  readonly memory: number;
  readonly pods: number;
}

/**
 * Refuses a pod that asks for more than `active`, the node's other pods, have left of it, whose host ports they have, or
 * that would change the kernel's settings for others.
 */
export function admitPod(pod: Pod, active: readonly Pod[], node: NodeResources): Rejection | undefined {
  const others = active.filter(({ metadata }) => metadata?.uid !== pod.metadata?.uid);
  return tooLarge(pod, others, node) ?? portConflict(pod, others) ?? forbiddenSetting(pod);
}

function forbiddenSetting(pod: Pod): Rejection | undefined {
  const why = forbiddenSysctl(pod);
  return why === undefined ? undefined : { reason: "SysctlForbidden", message: `Pod was rejected: ${why}` };
}

function tooLarge(pod: Pod, others: readonly Pod[], node: NodeResources): Rejection | undefined {
  const wanted = podRequests(pod);
  const all = others.map(podRequests);
  for (const resource of ["pods", "cpu", "memory"] as const) {
    const requested = wanted[resource] ?? 0;
    const used = all.reduce((sum, amounts) => sum + (amounts[resource] ?? 0), 0);
    const capacity = node[resource];
    if (requested === 0 || requested <= capacity - used) continue;
    const numbers = `requested: ${requested}, used: ${used}, capacity: ${capacity}`;
    return {
      reason: `OutOf${resource}`,
      message: `Pod was rejected: Node didn't have enough resource: ${resource}, ${numbers}`,
    };
  }
  return undefined;
}

function portConflict(pod: Pod, others: readonly Pod[]): Rejection | undefined {
  if (!hostPortsCollide(pod, others.flatMap(hostPortsOf))) return undefined;
  return { reason: "NodePorts", message: "Pod was rejected: Predicate NodePorts failed" };
}
