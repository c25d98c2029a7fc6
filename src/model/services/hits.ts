/** The counters that packets themselves make, one for each service port they go to. */
import type { Element, ElementData, Family, SetDeclaration, Value } from "../rules/index.ts";
import { hitsSet, localBit } from "./layout.ts";
import type { ServicePlan } from "./plan.ts";

/** What the kernel holds of a set. */
interface Found {
  readonly key: readonly Value[];
  readonly data?: ElementData;
}

/**
 * The counters of service ports that are gone. No part of the plan has them, so no change of it removes them; left alone they
 * would be as many as there ever were service ports, and count for whoever gets the number next.
 */
export function staleHits(
  plan: ServicePlan,
  elementsOf: (family: Family, table: string, declaration: SetDeclaration) => readonly Found[],
): readonly Element[] {
  const inUse = new Set(
    [...plan.services.values()].flatMap(({ portNames }) =>
      [...portNames].map((name) => plan.portIds.numbers.get(name)),
    ),
  );
  return plan.skeletons.flatMap(({ family, table, sets }) => {
    const declaration = sets.get(hitsSet);
    if (declaration === undefined) return [];
    return elementsOf(family, table, declaration)
      .filter(({ key: [mark] }) => typeof mark !== "number" || !inUse.has(mark & (localBit - 1)))
      .map(({ key }): Element => ({
        family,
        table,
        set: hitsSet,
        key,
        cause: { kind: "Unknown", name: "a service that is gone" },
      }));
  });
}
