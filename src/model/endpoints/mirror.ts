/** Slices for Endpoints that users keep by hand, for Services without a selector. */
import type { Endpoint, EndpointAddress, Endpoints, EndpointSlice, EndpointSubset } from "../../api/generated/types.ts";
import { resources } from "../../api/resources.ts";
import { isIpAddress } from "../../lib/ip/index.ts";
import { controllerReference } from "../workload/index.ts";
import { managedByLabel, planSliceWrites, serviceNameLabel, triggerTimeAnnotation } from "./plan-slices.ts";
import type { EndpointGroup, SliceWrites } from "./plan-slices.ts";

export const mirroringController = "endpointslicemirroring-controller.k8s.io";
const skipMirrorLabel = "endpointslice.kubernetes.io/skip-mirror";
const leaderAnnotation = "control-plane.alpha.kubernetes.io/leader";
/** Of each subset. */
const maxMirrored = 1000;

/** Whether the object asks for slices: old leader elections and those with the label do not. */
export function isMirrored({ metadata }: Endpoints): boolean {
  return metadata?.labels?.[skipMirrorLabel] !== "true" && metadata?.annotations?.[leaderAnnotation] === undefined;
}

export function planMirror(
  endpoints: Endpoints,
  { existing }: { readonly existing: readonly EndpointSlice[] },
): SliceWrites {
  const { name = "", namespace, labels, annotations = {} } = endpoints.metadata ?? {};
  const {
    [triggerTimeAnnotation]: _time,
    ["kubectl.kubernetes.io/last-applied-configuration"]: _applied,
    ...copied
  } = annotations;
  return planSliceWrites({
    groups: (endpoints.subsets ?? [])
      .flatMap((subset) => [groupOf(subset, "IPv4"), groupOf(subset, "IPv6")])
      .filter(({ endpoints: all }) => all.length > 0),
    keepOneOf: [],
    existing,
    maxEndpoints: maxMirrored,
    metadata: {
      generateName: `${name}-`,
      ...(namespace === undefined ? {} : { namespace }),
      labels: { ...labels, [serviceNameLabel]: name, [managedByLabel]: mirroringController },
      annotations: copied,
      ownerReferences: [controllerReference(resources.endpoints, endpoints)],
    },
  });
}

function groupOf({ addresses = [], notReadyAddresses = [], ports = [] }: EndpointSubset, type: string): EndpointGroup {
  const isOfType = ({ ip }: EndpointAddress): boolean => isIpAddress(ip) && ip.includes(":") === (type === "IPv6");
  return {
    addressType: type,
    ports: ports.map(({ name = "", protocol = "TCP", port, appProtocol }) => ({
      name,
      port,
      protocol,
      ...(appProtocol === undefined ? {} : { appProtocol }),
    })),
    endpoints: [
      ...addresses.filter(isOfType).map((address) => endpointOf(address, { ready: true })),
      ...notReadyAddresses.filter(isOfType).map((address) => endpointOf(address, { ready: false })),
    ].slice(0, maxMirrored),
  };
}

function endpointOf(
  { ip, hostname, nodeName, targetRef }: EndpointAddress,
  conditions: { readonly ready: boolean },
): Endpoint {
  return {
    addresses: [ip],
    conditions,
    ...(hostname === undefined || hostname === "" ? {} : { hostname }),
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(targetRef === undefined ? {} : { targetRef }),
  };
}
