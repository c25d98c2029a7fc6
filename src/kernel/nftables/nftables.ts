/** The rules of one network namespace: whole rule sets in, smallest differences in, and what the kernel holds out. */
import {
  diffRuleSets,
  isEmptyTransaction,
  renderTransaction,
  splitTransaction,
  type RuleSet,
  type Transaction,
} from "../../model/rules/index.ts";
import type { NetworkNamespace } from "../network-namespace.ts";
import { openNft } from "./libnftables.ts";
import { NftablesError } from "./nftables-error.ts";

/** Each takes about 200 bytes; the kernel's default for the largest send buffer is 416 kB. */
const elementsPerStep = 1500;

/**
 * All methods are synchronous and throw `NftablesError`. A change is all or nothing where the kernel takes it in one
 * message; outside of the first user namespace that is about 400 kB (2,000 elements): what is larger goes in steps, each
 * of which leaves rules that work (see `splitTransaction`).
 */
export interface Nftables {
  /** Puts `ruleSet` in place of whatever its tables held. Dynamic sets start empty. */
  replace(ruleSet: RuleSet): void;
  apply(transaction: Transaction): void;
  /** Removes the tables of `ruleSet`; harmless where there are none. */
  remove(ruleSet: Pick<RuleSet, "skeletons">): void;
  close(): void;
}

export function openNftables(options: { readonly namespace: NetworkNamespace; readonly toolsDir: string }): Nftables {
  const nft = openNft(options);
  const apply = (transaction: Transaction): void => {
    if (isEmptyTransaction(transaction)) return;
    try {
      nft.run(renderTransaction(transaction));
    } catch (error) {
      // Only root of the machine may have a larger send buffer.
      if (!(error instanceof NftablesError) || error.code !== "EMSGSIZE") throw error;
      for (const step of splitTransaction(transaction, elementsPerStep)) nft.run(renderTransaction(step));
    }
  };
  return {
    replace: (ruleSet) => apply(diffRuleSets({ skeletons: [], parts: new Map() }, ruleSet)),
    apply,
    remove: ({ skeletons }) => {
      const commands = skeletons.flatMap(({ family, table }) => [
        `add table ${family} ${table}`,
        `delete table ${family} ${table}`,
      ]);
      if (commands.length > 0) nft.run(`${commands.join("\n")}\n`);
    },
    close: () => nft.close(),
  };
}
