/** What a pod asks of a node and what a node has, as plain numbers: milli-CPUs, bytes, counts. */
import type { Container, Node, Pod } from "../../api/generated/types.ts";
import { parseQuantity, quantityMilli, quantityUnits } from "../../lib/quantity/index.ts";

/** By resource name. `cpu` in thousandths, all else in whole units. */
export type Amounts = Readonly<Record<string, number>>;

function amountsOf(quantities: Readonly<Record<string, string>> = {}): Amounts {
  const amounts: Record<string, number> = {};
  for (const [name, text] of Object.entries(quantities)) {
    const quantity = parseQuantity(text);
    amounts[name] = name === "cpu" ? quantityMilli(quantity) : quantityUnits(quantity);
  }
  return amounts;
}

function combine(a: Amounts, b: Amounts, operation: (a: number, b: number) => number): Amounts {
  const result: Record<string, number> = { ...a };
  for (const [name, amount] of Object.entries(b)) result[name] = operation(result[name] ?? 0, amount);
  return result;
}

export function add(a: Amounts, b: Amounts): Amounts {
  return combine(a, b, (left, right) => left + right);
}

function larger(a: Amounts, b: Amounts): Amounts {
  return combine(a, b, Math.max);
}

/**
 * The most the pod needs at any moment: its containers together, or an init container beside the sidecars that run by
 * then; and its overhead. The pod itself counts as one of `pods`.
 *
 * @param requestsOf - What one container asks for.
 */
function podAmounts({ spec }: Pod, requestsOf: (container: Container) => Amounts): Amounts {
  let sidecars: Amounts = {};
  let initPeak: Amounts = {};
  for (const container of spec?.initContainers ?? []) {
    const requests = requestsOf(container);
    if (container.restartPolicy === "Always") {
      sidecars = add(sidecars, requests);
      initPeak = larger(initPeak, sidecars);
    } else initPeak = larger(initPeak, add(sidecars, requests));
  }
  const running = (spec?.containers ?? []).map(requestsOf).reduce(add, sidecars);
  return add(add(larger(running, initPeak), amountsOf(spec?.overhead)), { pods: 1 });
}

export function podRequests(pod: Pod): Amounts {
  return podAmounts(pod, ({ resources }) => amountsOf(resources?.requests));
}

/** For comparing nodes only: a container that asks for nothing still uses something, or all would go to one node. */
export function weighedRequests(pod: Pod): Amounts {
  return podAmounts(pod, ({ resources }) => ({
    cpu: 100,
    memory: 200 * 1024 * 1024,
    ...amountsOf(resources?.requests),
  }));
}

/** A node that does not say how many pods it takes takes the kubelet's default. */
export function allocatable({ status }: Node): Amounts {
  return { pods: 110, ...amountsOf(status?.allocatable ?? status?.capacity) };
}
