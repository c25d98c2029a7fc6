export { type RbacRequest, type RbacSubject, ruleAllows, subjectMatches } from "./rules.ts";
