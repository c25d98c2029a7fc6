export { type LockedCommand, withClusterLock } from "./cluster-lock.ts";
export { agreeOnUsers, type ClusterUsers, readUsers, recordUsers } from "./cluster-users.ts";
export { checkFolderOwner, hostFolders, type HostFolders, knownClusters, makePrivateFolder } from "./folders.ts";
export { kubeconfigPath, mergeContext } from "./kubeconfig-file.ts";
export {
  apiPortClaim,
  checkFamilies,
  checkNamespaces,
  checkTools,
  chooseApiPort,
  chooseLoopbackIndex,
  loopbackClaim,
  namespaceRemedy,
  needsUserNamespace,
  PreflightError,
} from "./preflight.ts";
export { createProgress, type Progress } from "./progress.ts";
export { readTraces, recordTraces, removeRunFolder, removeTraces } from "./removal.ts";
export { markLayout, migrateState } from "./state-layout.ts";
export {
  endProcesses,
  findInit,
  findSupervisor,
  type SelfCommand,
  startSupervisor,
  stopProcesses,
} from "./supervisor.ts";
export { isStarting, markStarted, markStarting } from "./starting.ts";
export { presentUsers } from "./user-namespace.ts";
