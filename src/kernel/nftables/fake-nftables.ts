/** Rules without a kernel, for the tests of what uses them; passes the same contract as the real ones. */
import { provenanceText } from "../../model/provenance.ts";
import {
  commentText,
  dataText,
  indexElements,
  keyText,
  setPath,
  type Element,
  type RuleSet,
  type Transaction,
} from "../../model/rules/index.ts";
import { differenceFromKernel } from "./drift.ts";
import type { Nftables, SyncReport } from "./nftables.ts";
import { NftablesError } from "./nftables-error.ts";

export interface FakeNftables extends Nftables {
  /** All that was synced or applied, in order. */
  readonly calls: readonly (
    | { readonly kind: "sync"; readonly report: SyncReport }
    | { readonly kind: "apply"; readonly transaction: Transaction }
    | { readonly kind: "remove" }
  )[];
  /** The next call that changes something throws this. */
  failOnce(error: Error): void;
  /** Changes elements as somebody else would: by hand. */
  interfere(transaction: Pick<Transaction, "addedElements" | "removedElements">): void;
}

export function createFakeNftables(): FakeNftables {
  const tables = new Map<string, { chains: Set<string>; elements: Map<string, Map<string, Element>> }>();
  const calls: FakeNftables["calls"][number][] = [];
  const state = { generation: 0, own: -1, failure: undefined as Error | undefined };

  const nameOf = ({ family, table }: { readonly family: string; readonly table: string }): string =>
    `${family} ${table}`;
  const failIfAsked = (): void => {
    const { failure } = state;
    state.failure = undefined;
    if (failure !== undefined) throw failure;
  };
  const change = (transaction: Pick<Transaction, "addedElements" | "removedElements">): void => {
    const next = new Map<string, Map<string, Element>>();
    const setOf = (element: Element): Map<string, Element> => {
      const path = setPath(element);
      const set = next.get(path) ?? new Map(tables.get(nameOf(element))?.elements.get(path));
      next.set(path, set);
      return set;
    };
    for (const element of transaction.removedElements) {
      if (!setOf(element).delete(keyText(element.key))) refuse("ENOENT", element);
    }
    for (const element of transaction.addedElements) {
      if (!tables.has(nameOf(element))) refuse("ENOENT", element);
      const known = setOf(element).get(keyText(element.key));
      if (known !== undefined && dataText(known.data) !== dataText(element.data)) refuse("EEXIST", element);
      setOf(element).set(keyText(element.key), element);
    }
    for (const [path, elements] of next) {
      const [family = "", table = ""] = path.split(" ");
      tables.get(`${family} ${table}`)?.elements.set(path, elements);
    }
    state.generation += 1;
  };

  return {
    calls,
    sync: (ruleSet: RuleSet) => {
      failIfAsked();
      const missing = ruleSet.skeletons.filter((skeleton) => !tables.has(nameOf(skeleton)));
      for (const skeleton of missing) {
        tables.set(nameOf(skeleton), { chains: new Set(skeleton.chains.keys()), elements: new Map() });
      }
      const difference = differenceFromKernel(ruleSet.skeletons, indexElements(ruleSet.parts.values()), {
        chainsOf: (skeleton) => [...(tables.get(nameOf(skeleton))?.chains ?? [])],
        elementsOf: (skeleton, { name }) => [
          ...(tables
            .get(nameOf(skeleton))
            ?.elements.get(setPath({ ...skeleton, set: name }))
            ?.values() ?? []),
        ],
      });
      change(difference);
      state.own = state.generation;
      const isNew = new Set(missing.map(nameOf));
      const repaired = (elements: readonly Element[]): number =>
        elements.filter((one) => !isNew.has(nameOf(one))).length;
      const report: SyncReport = {
        replacedTables: [...isNew],
        addedElements: repaired(difference.addedElements),
        removedElements: repaired(difference.removedElements),
        removedChains: [],
      };
      calls.push({ kind: "sync", report });
      return report;
    },
    apply: (transaction) => {
      failIfAsked();
      change(transaction);
      state.own = state.generation;
      calls.push({ kind: "apply", transaction });
    },
    hasForeignChange: () => state.generation !== state.own,
    readElements: (family, table, { name }) =>
      [...(tables.get(`${family} ${table}`)?.elements.get(`${family} ${table} ${name}`)?.values() ?? [])].map(
        ({ key, data, cause }) => ({
          key,
          ...(data === undefined ? {} : { data }),
          comment: commentText(provenanceText(cause)),
        }),
      ),
    remove: ({ skeletons }) => {
      for (const skeleton of skeletons) tables.delete(nameOf(skeleton));
      state.generation += 1;
      calls.push({ kind: "remove" });
    },
    close: () => undefined,
    failOnce: (error) => {
      state.failure = error;
    },
    interfere: change,
  };
}

function refuse(code: string, element: Element): never {
  throw new NftablesError("apply rules", `${setPath(element)} { ${keyText(element.key)} }: ${code}`, code);
}
