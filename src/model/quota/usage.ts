/** How much of a namespace's quota one object uses. Pure. */
import type { PersistentVolumeClaim, Pod, Service } from "../../api/generated/types.ts";
import type { KubernetesObject } from "../../api/object.ts";
import { parseQuantity } from "../../lib/quantity/index.ts";
import { podQuantities } from "../pod-resources/index.ts";
import type { Quantities } from "../pod-resources/index.ts";

/** A kind with its group: "pods", "deployments.apps". */
export type ResourceName = string;

/** Counted under their plain plural as well as under `count/…`. */
const plainCounts: ReadonlySet<ResourceName> = new Set([
  "configmaps",
  "persistentvolumeclaims",
  "replicationcontrollers",
  "resourcequotas",
  "secrets",
  "services",
]);
const one = parseQuantity("1");
const number = (count: number): ReturnType<typeof parseQuantity> => parseQuantity(String(count));

/** By the names that `spec.hard` of a quota has. */
export function usageOf(resource: ResourceName, object: KubernetesObject): Quantities {
  const usage = new Map([[`count/${resource}`, one]]);
  if (plainCounts.has(resource)) usage.set(resource, one);
  switch (resource) {
    case "pods":
      return new Map([...usage, ...podUsage(object)]);
    case "services":
      return new Map([...usage, ...serviceUsage(object)]);
    case "persistentvolumeclaims":
      return new Map([...usage, ...claimUsage(object)]);
    default:
      return usage;
  }
}

/** A pod that has ended counts as an object only. */
function podUsage(pod: Pod): Quantities {
  if (isPodEnded(pod)) return new Map();
  const usage = new Map([["pods", one]]);
  for (const [name, quantity] of podQuantities(pod, "requests")) {
    if (isNative(name)) usage.set(name, quantity);
    usage.set(`requests.${name}`, quantity);
  }
  for (const [name, quantity] of podQuantities(pod, "limits"))
    if (isNative(name)) usage.set(`limits.${name}`, quantity);
  return usage;
}

function isPodEnded({ status }: Pod): boolean {
  return status?.phase === "Succeeded" || status?.phase === "Failed";
}

const isNative = (name: string): boolean => !name.includes("/");

function serviceUsage({ spec }: Service): Quantities {
  const ports = spec?.ports ?? [];
  if (spec?.type === "NodePort") return new Map([["services.nodeports", number(ports.length)]]);
  if (spec?.type !== "LoadBalancer") return new Map();
  const withNodePorts =
    spec.allocateLoadBalancerNodePorts === false ? ports.filter(({ nodePort = 0 }) => nodePort !== 0) : ports;
  return new Map([
    ["services.loadbalancers", one],
    ["services.nodeports", number(withNodePorts.length)],
  ]);
}

function claimUsage({ spec }: PersistentVolumeClaim): Quantities {
  const storage = spec?.resources?.requests?.["storage"];
  const usage = new Map([["persistentvolumeclaims", one]]);
  if (storage !== undefined) usage.set("requests.storage", parseQuantity(storage));
  const { storageClassName } = spec ?? {};
  if (storageClassName === undefined) return usage;
  const prefix = `${storageClassName}.storageclass.storage.k8s.io`;
  usage.set(`${prefix}/persistentvolumeclaims`, one);
  if (storage !== undefined) usage.set(`${prefix}/requests.storage`, parseQuantity(storage));
  return usage;
}
