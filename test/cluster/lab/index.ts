export { type Answer, type Lab, makeLab } from "./lab.ts";
export { kubectls } from "./kubectls.ts";
export { eventually } from "./eventually.ts";
export { type KernelState, kernelState, labProcesses } from "./cluster-state.ts";
export { machineState } from "./machine-state.ts";
