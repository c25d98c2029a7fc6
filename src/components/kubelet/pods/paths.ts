/** Where a pod's files lie under the node's root, at upstream's places. */
import type { Pod } from "../../../api/generated/types.ts";

/** `/var/lib/kubelet/pods/<uid>`: volumes, `etc-hosts`, termination messages. */
export function podDir(nodeRoot: string, uid: string): string {
  return `${nodeRoot}/var/lib/kubelet/pods/${uid}`;
}

/** `/var/log/pods/<namespace>_<name>_<uid>`, with a folder per container and a file per restart. */
export function podLogDir(nodeRoot: string, { metadata = {} }: Pod): string {
  return `${nodeRoot}/var/log/pods/${metadata.namespace}_${metadata.name}_${metadata.uid}`;
}

export function containerLogPath(
  nodeRoot: string,
  pod: Pod,
  run: { readonly name: string; readonly attempt: number },
): string {
  return `${podLogDir(nodeRoot, pod)}/${run.name}/${run.attempt}.log`;
}
