/** Whether the node can take a pod that names it; the scheduler is not the only one who may. */
import type { Pod } from "../../../api/generated/types.ts";

/** Refuses a pod whose host ports another active pod of the node has. */
export function admitPod(
  pod: Pod,
  active: readonly Pod[],
): { readonly reason: string; readonly message: string } | undefined {
  const taken = new Set(active.filter(({ metadata }) => metadata?.uid !== pod.metadata?.uid).flatMap(hostPorts));
  if (!hostPorts(pod).some((port) => taken.has(port))) return undefined;
  return { reason: "NodePorts", message: "Pod was rejected: Predicate NodePorts failed" };
}

function hostPorts({ spec }: Pod): readonly string[] {
  return (spec?.containers ?? []).flatMap(({ ports = [] }) =>
    ports
      .map(({ containerPort, hostPort, protocol = "TCP" }) => {
        const port = hostPort ?? (spec?.hostNetwork === true ? containerPort : 0);
        return port === 0 ? "" : `${protocol} ${port}`;
      })
      .filter((port) => port !== ""),
  );
}
