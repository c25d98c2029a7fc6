export { aggregatedRules, isBindingOfAnotherRole, reconciledBinding, reconciledRole } from "./aggregation.ts";
export { compactRules, goList, missingRules, ruleText } from "./covers.ts";
export { type RbacRequest, type RbacSubject, ruleAllows, subjectMatches } from "./rules.ts";
