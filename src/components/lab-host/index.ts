export { FolderError, hostFolders, type HostFolders, knownClusters, makePrivateFolder } from "./folders.ts";
export { kubeconfigPath, mergeContext } from "./kubeconfig-file.ts";
export {
  checkNamespaces,
  checkTools,
  chooseApiPort,
  chooseLoopbackIndex,
  loopbackClaim,
  namespaceRemedy,
  needsUserNamespace,
} from "./preflight.ts";
export { createProgress, type Progress } from "./progress.ts";
export { readTraces, recordTraces, removeTraces } from "./removal.ts";
export { markLayout, migrateState } from "./state-layout.ts";
export {
  endProcesses,
  findInit,
  findSupervisor,
  forgetSupervisor,
  type SelfCommand,
  startSupervisor,
} from "./supervisor.ts";
export { isStarting, markStarted, markStarting } from "./starting.ts";
