export { backOffEndMs, raiseBackOff } from "./back-off.ts";
export type { BackOff } from "./back-off.ts";
export { noFacts } from "./facts.ts";
export type { ContainerFacts, ContainerRun, KillCause, PodFacts, StartFailure } from "./facts.ts";
export { isEnding, planPod } from "./plan.ts";
export type { PodAction } from "./plan.ts";
export { planStatus, statusPatch } from "./status.ts";
export { isoSeconds } from "./time.ts";
