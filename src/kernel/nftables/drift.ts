/** What must change so that the tables in the kernel are as planned, from what the kernel says it holds. */
import {
  dataText,
  emptyTransaction,
  keyText,
  setPath,
  type ChainOperation,
  type Element,
  type SetDeclaration,
  type Skeleton,
  type Transaction,
} from "../../model/rules/index.ts";
import type { KernelElement } from "./element-codec.ts";

export interface KernelView {
  chainsOf(skeleton: Skeleton): readonly string[];
  elementsOf(skeleton: Skeleton, declaration: SetDeclaration): readonly KernelElement[];
}

/**
 * All chains are filled anew (their rules are not compared: writing them costs less than reading them), elements are
 * compared one by one. Dynamic sets are left alone.
 */
export function differenceFromKernel(
  skeletons: readonly Skeleton[],
  desired: ReadonlyMap<string, ReadonlyMap<string, Element>>,
  kernel: KernelView,
): Transaction {
  const chains: ChainOperation[] = [];
  const removedElements: Element[] = [];
  const addedElements: Element[] = [];
  for (const skeleton of skeletons) {
    chains.push(...chainOperations(skeleton, kernel.chainsOf(skeleton)));
    for (const declaration of skeleton.sets.values()) {
      if (declaration.flags?.includes("dynamic")) continue;
      const place = { family: skeleton.family, table: skeleton.table, set: declaration.name };
      const wanted = desired.get(setPath(place)) ?? new Map<string, Element>();
      const missing = new Map(wanted);
      for (const found of kernel.elementsOf(skeleton, declaration)) {
        const key = keyText(found.key);
        const planned = wanted.get(key);
        if (planned !== undefined && dataText(planned.data) === dataText(found.data)) missing.delete(key);
        else removedElements.push({ ...place, ...found, cause: { kind: "Unknown", name: found.comment ?? key } });
      }
      addedElements.push(...missing.values());
    }
  }
  return { ...emptyTransaction, chains, removedElements, addedElements };
}

function chainOperations(skeleton: Skeleton, names: readonly string[]): readonly ChainOperation[] {
  const place = { family: skeleton.family, table: skeleton.table };
  const found = new Set(names);
  const planned = [...skeleton.chains.values()].map((chain): ChainOperation => ({
    ...place,
    kind: found.has(chain.name) ? "refill-chain" : "add-chain",
    chain,
  }));
  const unknown = names
    .filter((name) => !skeleton.chains.has(name))
    .map((name): ChainOperation => ({ ...place, kind: "delete-chain", chain: { name, rules: [] } }));
  return [...planned, ...unknown];
}
