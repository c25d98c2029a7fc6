export { isSame } from "./equality.ts";
export { claim, controllerOf, controllerReference } from "./ownership.ts";
export { availableAtMs, isPodActive, isPodReady, isPodTerminal, podCondition } from "./pods.ts";
export { canonicalText, templateHash } from "./template-hash.ts";
