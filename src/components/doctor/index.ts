export { examine } from "./examine.ts";
export type { Finding } from "./finding.ts";
export { type Machine, nearestFolder, openMachine } from "./machine.ts";
export { runTrials } from "./trials/run-trials.ts";
export type { TrialResult } from "./trials/trial-result.ts";
