export { keepDangling } from "./dangling.ts";
export { keepFlowControl } from "./first-objects.ts";
