/** The rules of one network namespace: whole rule sets in, smallest differences in, and what the kernel holds out. */
import {
  keyText,
  emptyTransaction,
  indexElements,
  isEmptyTransaction,
  layoutName,
  renderTransaction,
  setPath,
  splitTransaction,
  type Element,
  type Family,
  type RuleSet,
  type SetDeclaration,
  type Skeleton,
  type Transaction,
} from "../../model/rules/index.ts";
import type { NetworkNamespace } from "../network-namespace.ts";
import { NfnetlinkError, NfnetlinkSocket } from "../nfnetlink/index.ts";
import { decodeElements, encodeElements, encodeElementsQuery, type KernelElement } from "./element-codec.ts";
import { encodeChainOperation } from "./chain-codec.ts";
import { ChangeWatch } from "./change-watch.ts";
import { openNft } from "./libnftables.ts";
import { NftablesError } from "./nftables-error.ts";
import { differenceFromKernel } from "./drift.ts";
import { deleteTable, readChainNames, readGeneration, readTableComment } from "./table-codec.ts";

/** What `sync` found and did. */
export interface SyncReport {
  /** Tables that were missing or of another making, and were made anew. */
  readonly replacedTables: readonly string[];
  /** Elements the kernel lacked or held with another value, and elements nobody planned. */
  readonly addedElements: number;
  readonly removedElements: number;
  /** Chains nobody planned. */
  readonly removedChains: readonly string[];
}

/**
 * All methods are synchronous and throw `NftablesError`. A change is all or nothing where the kernel takes it in one
 * message; without the machine's root that is about 400 kB (2,000 elements): what is larger goes in steps, each of which
 * leaves rules that work (see `splitTransaction`).
 */
export interface Nftables {
  /**
   * Makes the kernel hold exactly `ruleSet`, whatever its tables held. Reads back first: what is right stays, so that
   * neither connections nor dynamic sets notice. All rules of the chains are written anew.
   */
  sync(ruleSet: RuleSet): SyncReport;
  /** Needs a `sync` before, whose rule set `transaction` continues. */
  apply(transaction: Transaction): void;
  /**
   * Whether anybody else has changed one of the tables given to `sync` since this object last looked or synced. Tables of
   * other names may change as they like.
   */
  hasForeignChange(): boolean;
  /** What a set or map holds now, dynamic elements included. Empty where there is no such set. */
  readElements(family: Family, table: string, declaration: SetDeclaration): readonly KernelElement[];
  /** Removes the tables of `ruleSet`; harmless where there are none. */
  remove(ruleSet: Pick<RuleSet, "skeletons">): void;
  close(): void;
}

/** About 200 bytes each. The kernel's default for the largest send buffer is 416 kB; its root may send more. */
const elementsPerStep = { most: 30_000, withoutRoot: 1500 } as const;

/** One message holds them: they cannot be listed in two halves of a growing table. */
const smallSet = 64;
const mostListings = 10;

/** Opens what all changes go through; keep it as long as the namespace's rules are looked after. */
export function openNftables(options: { readonly namespace: NetworkNamespace; readonly toolsDir: string }): Nftables {
  return new KernelNftables(options);
}

class KernelNftables implements Nftables {
  readonly #nft;
  readonly #socket: NfnetlinkSocket;
  readonly #watch: ChangeWatch;
  /** By `setPath`. */
  readonly #declarations = new Map<string, SetDeclaration>();
  /** `ip netloom` */
  readonly #tables = new Set<string>();
  #elementsPerStep: number = elementsPerStep.most;

  constructor(options: { readonly namespace: NetworkNamespace; readonly toolsDir: string }) {
    this.#nft = openNft(options);
    this.#socket = new NfnetlinkSocket(options.namespace);
    this.#watch = new ChangeWatch({
      namespace: options.namespace,
      readGeneration: () => readGeneration(this.#socket),
      isWatched: (family, table) => this.#tables.has(`${family} ${table}`),
    });
  }

  sync(ruleSet: RuleSet): SyncReport {
    return this.#translated(() => {
      // What others did so far is found by reading; what they do from here on is noticed.
      this.#watch.forget();
      return this.#sync(ruleSet);
    });
  }

  #sync(ruleSet: RuleSet): SyncReport {
    const isOurs = ({ family, table, ...rest }: Skeleton): boolean =>
      readTableComment(this.#socket, family, table) === layoutName({ family, table, ...rest });
    const kept = ruleSet.skeletons.filter(isOurs);
    const replaced = ruleSet.skeletons.filter((skeleton) => !kept.includes(skeleton));
    const isReplaced = new Set(replaced.map(({ family, table }) => `${family} ${table}`));
    // What is read waits for what is replaced: both are before the first change, lest a step of it be read.
    const refresh =
      kept.length === 0
        ? emptyTransaction
        : differenceFromKernel(kept, indexElements(ruleSet.parts.values()), {
            chainsOf: ({ family, table }) => readChainNames(this.#socket, family, table),
            elementsOf: ({ family, table }, declaration) => this.readElements(family, table, declaration),
          });
    const addedElements: Element[] = [];
    if (replaced.length > 0) {
      for (const part of ruleSet.parts.values()) {
        for (const element of part) {
          if (kept.length === 0 || isReplaced.has(`${element.family} ${element.table}`)) addedElements.push(element);
        }
      }
    }
    this.apply({ ...emptyTransaction, replacedTables: replaced, addedElements }, ruleSet);
    this.apply(refresh, ruleSet);
    return {
      replacedTables: [...isReplaced],
      addedElements: refresh.addedElements.length,
      removedElements: refresh.removedElements.length,
      removedChains: refresh.chains.flatMap(({ kind, chain }) => (kind === "delete-chain" ? chain.name : [])),
    };
  }

  apply(transaction: Transaction, ruleSet?: RuleSet): void {
    for (const skeleton of ruleSet?.skeletons ?? transaction.replacedTables) {
      this.#tables.add(`${skeleton.family} ${skeleton.table}`);
      for (const declaration of skeleton.sets.values()) {
        this.#declarations.set(setPath({ ...skeleton, set: declaration.name }), declaration);
      }
    }
    if (isEmptyTransaction(transaction)) return;
    if (needsSteps(transaction)) this.#applyInSteps(transaction);
    else this.#applyAsFits(transaction);
  }

  #applyInSteps(transaction: Transaction): void {
    for (const step of splitTransaction(transaction, this.#elementsPerStep)) this.#applyAsFits(step);
  }

  #applyAsFits(transaction: Transaction): void {
    try {
      this.#watch.whileChanging(() => this.#applyAtOnce(transaction));
    } catch (error) {
      if (!isTooLarge(error)) throw error;
      this.#elementsPerStep = elementsPerStep.withoutRoot;
      for (const step of splitTransaction(transaction, this.#elementsPerStep)) {
        this.#watch.whileChanging(() => this.#applyAtOnce(step));
      }
    }
  }

  #applyAtOnce(transaction: Transaction): void {
    const { addedElements, removedElements } = transaction;
    const chains = transaction.chains.map((operation) => ({ ...operation, requests: encodeChainOperation(operation) }));
    const isRaw = transaction.replacedTables.length + transaction.removedTables.length === 0;
    if (!isRaw || chains.some(({ requests }) => requests === undefined)) {
      this.#nft.run(renderTransaction(transaction));
      return;
    }
    const elements = (
      [
        ["delete", removedElements],
        ["add", addedElements],
      ] as const
    ).flatMap(([verb, all]) =>
      [...bySet(all)].flatMap(([path, ofSet]) => {
        const declaration = this.#declarations.get(path);
        return declaration === undefined ? [] : encodeElements(verb, declaration, ofSet);
      }),
    );
    const after = chains.flatMap(({ kind, requests = [] }) => (kind === "delete-chain" ? requests : []));
    const before = chains.flatMap(({ kind, requests = [] }) => (kind === "delete-chain" ? [] : requests));
    this.#translated(() => this.#socket.commit("change rules", [...before, ...elements, ...after]));
  }

  hasForeignChange(): boolean {
    return this.#translated(() => this.#watch.hasForeignChange());
  }

  /**
   * The kernel grows a set's hash table in the background, and lists it by counting: a listing meanwhile may lack elements
   * or hold some twice. So large sets are listed until two listings agree.
   */
  readElements(family: Family, table: string, declaration: SetDeclaration): readonly KernelElement[] {
    let former: ReadonlyMap<string, KernelElement> | undefined;
    for (let attempt = 0; ; attempt += 1) {
      const listed = this.#listElements(family, table, declaration);
      if (listed.length < smallSet) return listed;
      const known = new Map(listed.map((element) => [keyText(element.key), element]));
      const isSame =
        former !== undefined && former.size === known.size && [...known.keys()].every((key) => former?.has(key));
      if (isSame || attempt === mostListings) return [...known.values()];
      former = known;
    }
  }

  #listElements(family: Family, table: string, declaration: SetDeclaration): readonly KernelElement[] {
    try {
      return this.#socket
        .request(`read set ${declaration.name}`, encodeElementsQuery(family, table, declaration.name))
        .flatMap((payload) => decodeElements(payload, { family, declaration }));
    } catch (error) {
      if (error instanceof NfnetlinkError && error.code === "ENOENT") return [];
      throw translate(error);
    }
  }

  remove({ skeletons }: Pick<RuleSet, "skeletons">): void {
    this.#translated(() => {
      for (const { family, table } of skeletons) {
        this.#watch.whileChanging(() => deleteTable(this.#socket, family, table));
      }
    });
  }

  close(): void {
    this.#nft.close();
    this.#watch.close();
    this.#socket.close();
  }

  #translated<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw translate(error);
    }
  }
}

/** In the order of their first element. */
function bySet(elements: readonly Element[]): ReadonlyMap<string, readonly Element[]> {
  const sets = new Map<string, Element[]>();
  for (const element of elements) {
    const path = setPath(element);
    const ofSet = sets.get(path);
    if (ofSet === undefined) sets.set(path, [element]);
    else ofSet.push(element);
  }
  return sets;
}

/**
 * Whether nft's language is needed for chains while elements change too: it reads all elements for a transaction that
 * holds both. The same is reached by adding chains that nothing names yet, then changing elements as one transaction,
 * then removing chains that nothing names any more.
 */
function needsSteps({ replacedTables, chains, addedElements, removedElements }: Transaction): boolean {
  const needsNft =
    replacedTables.length > 0 || chains.some((operation) => encodeChainOperation(operation) === undefined);
  return needsNft && addedElements.length + removedElements.length > 0;
}

function translate(error: unknown): unknown {
  if (!(error instanceof NfnetlinkError)) return error;
  return new NftablesError("apply rules", error.message, error.code, { cause: error });
}

function isTooLarge(error: unknown): boolean {
  return error instanceof NftablesError && (error.code === "EMSGSIZE" || error.code === "ENOBUFS");
}
