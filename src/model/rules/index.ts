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
export {
  createWalker,
  type Packet,
  type WalkEnvironment,
  type Walker,
  type WalkInput,
  type WalkResult,
  type WalkStep,
} from "./packet-walk.ts";
