export * from "./rule-set.ts";
export type * from "./statement.ts";
export { commentText, layoutName, renderText } from "./render.ts";
export {
  diffParts,
  diffRuleSets,
  diffSkeletons,
  emptyTransaction,
  isElementsOnly,
  isEmptyTransaction,
  renderTransaction,
  splitTransaction,
  type ChainOperation,
  type PartChange,
  type Transaction,
} from "./transaction.ts";
export { createWalker } from "./packet-walk.ts";
export type { WalkEnvironment, WalkInput, WalkResult } from "./walk-types.ts";
