export { type Answer, type Lab, type LabUser, makeLab, must } from "./lab.ts";
export { isRoot } from "./ordinary-user.ts";
export { kubectls } from "./kubectls.ts";
export { eventually } from "./eventually.ts";
export { type KernelState, kernelState, type LabProcess, labProcesses, processorUse } from "./cluster-state.ts";
export { machineState } from "./machine-state.ts";
export { openMemoryAccount } from "./memory-account.ts";
export { type Connection, echoManifest, openConnection } from "./connection.ts";
