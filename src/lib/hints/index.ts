/** Hints that turn "this is wrong" into "do this". */
export { closestName } from "./edit-distance.ts";
export { suggestField } from "./field-hint.ts";
export type { FieldHintOptions, HintType } from "./field-hint.ts";
export { suggestQuotes } from "./quote-hint.ts";
