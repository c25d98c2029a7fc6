/** Events about pods and their containers, in the kubelet's name. */
import type { Pod } from "../../api/generated/types.ts";

/** `container` names the container the event is about; undefined: the pod itself. Never throws, never waits. */
export interface PodEvents {
  normal(pod: Pod, container: string | undefined, reason: string, message: string): void;
  warning(pod: Pod, container: string | undefined, reason: string, message: string): void;
}
