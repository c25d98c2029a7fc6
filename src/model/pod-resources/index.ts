/** What a pod asks for and is limited to, in exact quantities. Pure. */
import type { Container, Pod } from "../../api/generated/types.ts";
import { addQuantities, compareQuantities, parseQuantity } from "../../lib/quantity/index.ts";
import type { Quantity } from "../../lib/quantity/index.ts";

export { oomScoreAdjust } from "./oom-score.ts";

/** By resource name. */
export type Quantities = ReadonlyMap<string, Quantity>;

export function quantitiesOf(texts: Readonly<Record<string, string>> = {}): Quantities {
  return new Map(Object.entries(texts).map(([name, text]) => [name, parseQuantity(text)]));
}

function sum(left: Quantities, right: Quantities): Quantities {
  const total = new Map(left);
  for (const [name, quantity] of right) {
    const known = total.get(name);
    total.set(name, known === undefined ? quantity : addQuantities(known, quantity));
  }
  return total;
}

function larger(left: Quantities, right: Quantities): Quantities {
  const most = new Map(left);
  for (const [name, quantity] of right) {
    const known = most.get(name);
    if (known === undefined || compareQuantities(quantity, known) > 0) most.set(name, quantity);
  }
  return most;
}

/** The most that the pod asks for at any moment: its containers, or an init container beside the sidecars. */
export function podQuantities({ spec }: Pod, part: "requests" | "limits"): Quantities {
  const of = ({ resources }: Container): Quantities => quantitiesOf(resources?.[part]);
  let sidecars: Quantities = new Map();
  let initPeak: Quantities = new Map();
  for (const container of spec?.initContainers ?? []) {
    if (container.restartPolicy === "Always") {
      sidecars = sum(sidecars, of(container));
      initPeak = larger(initPeak, sidecars);
    } else initPeak = larger(initPeak, sum(sidecars, of(container)));
  }
  const running = (spec?.containers ?? []).map(of).reduce(sum, sidecars);
  const most = larger(running, initPeak);
  const overhead = quantitiesOf(spec?.overhead);
  // Overhead limits only what is limited at all.
  if (part === "requests") return sum(most, overhead);
  return sum(most, new Map([...overhead].filter(([name]) => most.has(name))));
}
