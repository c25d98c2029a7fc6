import type { Pod } from "../../api/generated/types.ts";
import type { Informer } from "../../machinery/informer/index.ts";
import { hostPortsOf } from "../../model/services/index.ts";
import type { ServiceProxy } from "./service-proxy.ts";

const usesHostPorts = (pod: Pod | undefined): boolean =>
  pod?.spec?.containers.some(({ ports = [] }) => ports.some(({ hostPort = 0 }) => hostPort !== 0)) === true;

/** Tells the proxy of the host ports of its node's pods, which `pods` holds, whenever they change. */
export function feedHostPorts(proxy: Pick<ServiceProxy, "setHostPorts">, pods: Informer<Pod>): void {
  pods.onChange(({ current, previous }) => {
    if (usesHostPorts(current) || usesHostPorts(previous)) proxy.setHostPorts(hostPortsOf(pods.store.list()));
  });
}
