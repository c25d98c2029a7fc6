export { LabelSelectorError, parseLabelSelector } from "./parse.ts";
export {
  labelsText,
  matchesLabels,
  matchesSelector,
  selectorOf,
  selectorText,
  structuredSelectorText,
} from "./selector.ts";
export type { Labels, Operator, Requirement, Selector, StructuredSelector } from "./selector.ts";
export {
  dataKeyMistakes,
  dnsLabelMistakes,
  labelKeyMistakes,
  labelValueMistakes,
  portNameMistakes,
  rfc1035LabelMistakes,
  searchMistakes,
  subdomainMistakes,
} from "./syntax.ts";
