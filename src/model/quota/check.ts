/** May an object still be made under a quota, and what does the quota's status say then? Pure. */
import type { Pod, ResourceQuota } from "../../api/generated/types.ts";
import type { KubernetesObject } from "../../api/object.ts";
import { addQuantities, compareQuantities, parseQuantity, quantityText } from "../../lib/quantity/index.ts";
import type { Quantity } from "../../lib/quantity/index.ts";
import { quantitiesOf } from "../pod-resources/index.ts";
import type { Quantities } from "../pod-resources/index.ts";
import { isInScope } from "./scopes.ts";
import { usageOf } from "./usage.ts";
import type { ResourceName } from "./usage.ts";

const zero = parseQuantity("0");

export interface QuotaRequest {
  readonly resource: ResourceName;
  readonly object: KubernetesObject;
  /** Of an update. */
  readonly old: KubernetesObject | undefined;
}

export type QuotaVerdict =
  /** Upstream's words. */
  | { readonly refusal: string }
  /** `used` of the status afterwards; undefined where the quota does not care. */
  | { readonly used: Readonly<Record<string, string>> | undefined };

export function checkQuota(quota: ResourceQuota, request: QuotaRequest): QuotaVerdict {
  const { resource, object, old } = request;
  const hard = quantitiesOf(quota.spec?.hard);
  const name = quota.metadata?.name ?? "";
  const before =
    old !== undefined && isInScope(quota, resource, old) ? usageOf(resource, old) : new Map<string, Quantity>();
  const after = isInScope(quota, resource, object) ? usageOf(resource, object) : new Map<string, Quantity>();
  if (old === undefined && after.size > 0 && resource === "pods") {
    const unsaid = unsaidResources(hard, object);
    if (unsaid !== "") return { refusal: `failed quota: ${name}: must specify ${unsaid}` };
  }
  const delta = changes(hard, before, after);
  if (delta.size === 0) return { used: undefined };
  const known = quota.status?.used ?? {};
  const unknown = [...delta.keys()].filter(
    (key) => known[key] === undefined || quota.status?.hard?.[key] === undefined,
  );
  if (unknown.length > 0) {
    return { refusal: `status unknown for quota: ${name}, resources: ${unknown.toSorted().join(",")}` };
  }
  const used = quantitiesOf(known);
  const next = new Map([...delta].map(([key, change]) => [key, addQuantities(used.get(key) ?? zero, change)]));
  // What becomes less is never refused, however much there is.
  const exceeded = [...next.keys()]
    .filter(
      (key) =>
        (delta.get(key) ?? zero).nano > 0n && compareQuantities(next.get(key) ?? zero, hard.get(key) ?? zero) > 0,
    )
    .toSorted();
  if (exceeded.length > 0) {
    const list = (amounts: Quantities): string =>
      exceeded.map((key) => `${key}=${quantityText(amounts.get(key) ?? zero)}`).join(",");
    return {
      refusal: `exceeded quota: ${name}, requested: ${list(delta)}, used: ${list(used)}, limited: ${list(hard)}`,
    };
  }
  const texts = [...next].map(([key, quantity]) => [key, quantityText(quantity)] as const);
  return { used: { ...known, ...Object.fromEntries(texts) } };
}

function changes(hard: Quantities, before: Quantities, after: Quantities): Quantities {
  const delta = new Map<string, Quantity>();
  for (const key of hard.keys()) {
    const from = before.get(key) ?? zero;
    const to = after.get(key) ?? zero;
    if (from.nano !== to.nano)
      delta.set(key, { nano: to.nano - from.nano, format: (after.has(key) ? to : from).format });
  }
  return delta;
}

/** Compute resources under quota that a container says nothing of: `limits.cpu for: app; requests.cpu for: app`. */
function unsaidResources(hard: Quantities, { spec }: Pod): string {
  const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
  return [...hard.keys()]
    .filter((key) => /^((requests|limits)\.)?(cpu|memory)$/.test(key))
    .toSorted()
    .flatMap((key) => {
      const [first = "", second] = key.split(".");
      const part = first === "limits" ? "limits" : "requests";
      const without = containers.filter(({ resources }) => resources?.[part]?.[second ?? first] === undefined);
      return without.length === 0 ? [] : [`${key} for: ${without.map(({ name }) => name).join(",")}`];
    })
    .join("; ");
}

/** The status a quota should have, given all objects of its namespace by resource. */
export function quotaStatus(
  quota: ResourceQuota,
  objects: (resource: ResourceName) => Iterable<KubernetesObject>,
): { readonly hard: Readonly<Record<string, string>>; readonly used: Readonly<Record<string, string>> } {
  const hard = quota.spec?.hard ?? {};
  const total = new Map<string, Quantity>(Object.keys(hard).map((key) => [key, zero]));
  for (const resource of new Set(Object.keys(hard).map(resourceOfKey))) {
    for (const object of objects(resource)) {
      if (!isInScope(quota, resource, object)) continue;
      for (const [key, quantity] of usageOf(resource, object)) {
        const known = total.get(key);
        // `count/pods` and `pods` are told by the same objects, but each key is one resource's own.
        if (known !== undefined && resourceOfKey(key) === resource) total.set(key, addQuantities(known, quantity));
      }
    }
  }
  return { hard, used: Object.fromEntries([...total].map(([key, quantity]) => [key, quantityText(quantity)])) };
}

/** Which objects decide about a key of `spec.hard`. */
function resourceOfKey(key: string): ResourceName {
  if (key.startsWith("count/")) return key.slice("count/".length);
  if (key === "services" || key.startsWith("services.")) return "services";
  const ofClaims = ["persistentvolumeclaims", "requests.storage"];
  if (ofClaims.includes(key) || key.includes(".storageclass.storage.k8s.io/")) return "persistentvolumeclaims";
  return ["configmaps", "replicationcontrollers", "resourcequotas", "secrets"].includes(key) ? key : "pods";
}
