export { isSame } from "./equality.ts";
export { claim, controllerOf, controllerReference } from "./ownership.ts";
export { podFromTemplate } from "./pod-template.ts";
export { availableAtMs, isPodActive, isPodReady, isPodTerminal, podCondition } from "./pods.ts";
export { resolveShare } from "./share.ts";
export { canonicalText, templateHash } from "./template-hash.ts";
export { timeText } from "./time-text.ts";
