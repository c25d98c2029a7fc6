/** The smallest change that turns one rule set into another, as data. */
import { baseText, chainLines, declarationLines, elementText, isMap, layoutName, ruleText } from "./render.ts";
import {
  indexElements,
  isSameEntry,
  setPath,
  keyText,
  type Chain,
  type Element,
  type Family,
  type Part,
  type RuleSet,
  type SetDeclaration,
  type Skeleton,
} from "./rule-set.ts";

interface Place {
  readonly family: Family;
  readonly table: string;
}

export type ChainOperation =
  | (Place & { readonly kind: "add-chain"; readonly chain: Chain })
  /** Empties the chain and gives it new rules; its base hook stays. */
  | (Place & { readonly kind: "refill-chain"; readonly chain: Chain })
  | (Place & { readonly kind: "delete-chain"; readonly chain: Chain });

/** Applied in the order of these fields, all or nothing. Empty lists: nothing to do. */
export interface Transaction {
  /** Tables whose sets or base hooks changed: made anew, which loses what packets put into their dynamic sets. */
  readonly replacedTables: readonly Skeleton[];
  readonly removedTables: readonly Place[];
  readonly removedElements: readonly Element[];
  readonly chains: readonly ChainOperation[];
  /** In an order in which no element refers to a later one. */
  readonly addedElements: readonly Element[];
}

export const emptyTransaction: Transaction = {
  replacedTables: [],
  removedTables: [],
  removedElements: [],
  chains: [],
  addedElements: [],
};

export function isEmptyTransaction(transaction: Transaction): boolean {
  return Object.values(transaction).every((operations: readonly unknown[]) => operations.length === 0);
}

/** Whether only elements change: what raw netlink can do without nft. */
export function isElementsOnly(transaction: Transaction): boolean {
  const { replacedTables, removedTables, chains } = transaction;
  return replacedTables.length === 0 && removedTables.length === 0 && chains.length === 0;
}

export interface PartChange {
  readonly before: Part;
  readonly after: Part;
}

/** What turns `before` into `after`. Parts that are the same object in both cost one comparison. */
export function diffRuleSets(before: RuleSet, after: RuleSet): Transaction {
  const changes: PartChange[] = [];
  for (const [name, part] of after.parts) {
    const old = before.parts.get(name);
    if (old !== part) changes.push({ before: old ?? [], after: part });
  }
  for (const [name, part] of before.parts) {
    if (!after.parts.has(name)) changes.push({ before: part, after: [] });
  }
  const skeletons = diffSkeletons(before.skeletons, after.skeletons);
  if (skeletons.replacedTables.length === 0 && skeletons.removedTables.length === 0) {
    return { ...skeletons, ...diffParts(changes) };
  }
  // A replaced table starts empty; a removed one takes its elements along.
  const isReplaced = placeMatcher(skeletons.replacedTables);
  const isGone = placeMatcher([...skeletons.replacedTables, ...skeletons.removedTables]);
  const { removedElements, addedElements } = diffParts(changes);
  const refilled = [...after.parts.values()].flat().filter((element) => isReplaced(element));
  return {
    ...skeletons,
    removedElements: removedElements.filter((element) => !isGone(element)),
    addedElements: [...refilled, ...addedElements.filter((element) => !isGone(element))],
  };
}

function placeMatcher(places: readonly Place[]): (place: Place) => boolean {
  return ({ family, table }) => places.some((place) => place.family === family && place.table === table);
}

/** The elements to remove and to add where `changes` are all parts that changed. An element that moves between parts stays. */
export function diffParts(changes: readonly PartChange[]): Pick<Transaction, "removedElements" | "addedElements"> {
  const before = new Map<string, Element>();
  const after = new Map<string, Element>();
  for (const change of changes) {
    for (const element of change.before) before.set(identityOf(element), element);
    for (const element of change.after) after.set(identityOf(element), element);
  }
  return { removedElements: changedIn(before, after), addedElements: changedIn(after, before) };
}

/** What is in `some` and not the same in `others`. */
function changedIn(some: ReadonlyMap<string, Element>, others: ReadonlyMap<string, Element>): readonly Element[] {
  return [...some]
    .filter(([identity, element]) => {
      const other = others.get(identity);
      return other === undefined || !isSameEntry(element, other);
    })
    .map(([, element]) => element);
}

function identityOf(element: Element): string {
  return `${setPath(element)} ${keyText(element.key)}`;
}

/** What turns the tables of `before` into those of `after`, elements aside. */
export function diffSkeletons(
  before: readonly Skeleton[],
  after: readonly Skeleton[],
): Pick<Transaction, "replacedTables" | "removedTables" | "chains"> {
  const chains: ChainOperation[] = [];
  const replacedTables: Skeleton[] = [];
  for (const skeleton of after) {
    const old = before.find(({ family, table }) => family === skeleton.family && table === skeleton.table);
    if (old === skeleton) continue;
    if (old === undefined || needsReplacement(old, skeleton)) replacedTables.push(skeleton);
    else chains.push(...diffChains(old, skeleton));
  }
  const isKept = placeMatcher(after);
  const removedTables = before.filter((skeleton) => !isKept(skeleton)).map(({ family, table }) => ({ family, table }));
  return { replacedTables, removedTables, chains };
}

function needsReplacement(before: Skeleton, after: Skeleton): boolean {
  if (before.sets !== after.sets) {
    if (before.sets.size !== after.sets.size) return true;
    for (const [name, declaration] of after.sets) {
      const old = before.sets.get(name);
      if (old === undefined || declarationText(old, before.family) !== declarationText(declaration, after.family))
        return true;
    }
  }
  for (const [name, chain] of after.chains) {
    const old = before.chains.get(name);
    if (old !== undefined && old !== chain && JSON.stringify(old.base) !== JSON.stringify(chain.base)) return true;
  }
  return false;
}

function declarationText(declaration: SetDeclaration, family: Family): string {
  return declarationLines(declaration, family).join("\n");
}

/** New chains come first (rules may name them), deleted ones last (nothing may name them any more). */
function diffChains(before: Skeleton, after: Skeleton): ChainOperation[] {
  const place = { family: after.family, table: after.table };
  const added: ChainOperation[] = [];
  const refilled: ChainOperation[] = [];
  for (const chain of after.chains.values()) {
    const old = before.chains.get(chain.name);
    if (old === undefined) added.push({ ...place, kind: "add-chain", chain });
    else if (old !== chain && chainLines(old, after.family).join("\n") !== chainLines(chain, after.family).join("\n")) {
      refilled.push({ ...place, kind: "refill-chain", chain });
    }
  }
  const deleted: ChainOperation[] = [...before.chains.values()]
    .filter((chain) => !after.chains.has(chain.name))
    .map((chain) => ({ ...place, kind: "delete-chain", chain }));
  return [...added, ...refilled, ...deleted];
}

/**
 * The transaction in steps of at most `maxElements` elements, for where the kernel takes no more at once. After each step
 * packets find rules that fit together: targets come before what points to them and go after it. A table made anew starts
 * empty, as it was before.
 */
export function splitTransaction(transaction: Transaction, maxElements: number): readonly Transaction[] {
  const { replacedTables, removedTables, chains } = transaction;
  const first: Transaction = { ...emptyTransaction, removedTables, replacedTables, chains: chains.filter(isAddition) };
  const last: Transaction = { ...emptyTransaction, chains: chains.filter((operation) => !isAddition(operation)) };
  const steps = [first, ...elementSteps(transaction, maxElements), last];
  return steps.filter((step) => !isEmptyTransaction(step));
}

function isAddition({ kind }: ChainOperation): boolean {
  return kind === "add-chain";
}

function elementSteps({ addedElements, removedElements }: Transaction, maxElements: number): readonly Transaction[] {
  const removed = new Map(removedElements.map((element) => [identityOf(element), element]));
  const steps: Transaction[] = [];
  for (let start = 0; start < addedElements.length; start += maxElements) {
    const added = addedElements.slice(start, start + maxElements);
    // An element that changes goes and comes in one step.
    const replaced = added.flatMap((element) => removed.get(identityOf(element)) ?? []);
    for (const element of replaced) removed.delete(identityOf(element));
    steps.push({ ...emptyTransaction, removedElements: replaced, addedElements: added });
  }
  const gone = [...removed.values()].toReversed();
  for (let start = 0; start < gone.length; start += maxElements) {
    steps.push({ ...emptyTransaction, removedElements: gone.slice(start, start + maxElements) });
  }
  return steps;
}

/** The transaction in nft's language; empty text where there is nothing to do. */
export function renderTransaction(transaction: Transaction): string {
  const lines: string[] = [];
  for (const { family, table } of transaction.removedTables) lines.push(`delete table ${family} ${table}`);
  for (const skeleton of transaction.replacedTables) lines.push(...replaceTableLines(skeleton));
  lines.push(...elementLines("delete", transaction.removedElements));
  const chains = (kind: ChainOperation["kind"]): ChainOperation[] =>
    transaction.chains.filter((one) => one.kind === kind);
  for (const { family, table, chain } of chains("add-chain")) {
    const base = chain.base === undefined ? "" : ` { ${baseText(chain.base)} }`;
    lines.push(`add chain ${family} ${table} ${chain.name}${base}`);
  }
  for (const { family, table, chain } of chains("refill-chain"))
    lines.push(`flush chain ${family} ${table} ${chain.name}`);
  for (const { family, table, chain } of [...chains("add-chain"), ...chains("refill-chain")]) {
    for (const rule of chain.rules) lines.push(`add rule ${family} ${table} ${chain.name} ${ruleText(rule, family)}`);
  }
  lines.push(...elementLines("add", transaction.addedElements));
  for (const { family, table, chain } of chains("delete-chain"))
    lines.push(`flush chain ${family} ${table} ${chain.name}`);
  for (const { family, table, chain } of chains("delete-chain"))
    lines.push(`delete chain ${family} ${table} ${chain.name}`);
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

function replaceTableLines(skeleton: Skeleton): string[] {
  const { family, table, sets, chains } = skeleton;
  const lines = [`add table ${family} ${table}`, `delete table ${family} ${table}`];
  lines.push(`table ${family} ${table} {`, `\tcomment "${layoutName(skeleton)}"`);
  for (const declaration of sets.values()) {
    const word = isMap(declaration) ? "map" : "set";
    lines.push(`\t${word} ${declaration.name} {`, ...declarationLines(declaration, family), "\t}");
  }
  for (const chain of chains.values()) lines.push(`\tchain ${chain.name} {`, ...chainLines(chain, family), "\t}");
  return [...lines, "}"];
}

function elementLines(verb: "add" | "delete", elements: readonly Element[]): string[] {
  return [...indexElements([elements])].map(([path, ofSet]) => {
    const texts = [...ofSet.values()].map((element) => elementText(element, { hasComment: verb === "add" }));
    return `${verb} element ${path} { ${texts.join(", ")} }`;
  });
}
