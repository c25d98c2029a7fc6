export { type LockedCommand, withClusterLock } from "./cluster-lock.ts";
export { agreeOnUsers, type ClusterUsers, readUsers, recordUsers } from "./cluster-users.ts";
export { checkFolderOwner, hostFolders, type HostFolders, knownClusters, makePrivateFolder } from "./folders.ts";
export { currentContext, kubeconfigPath, mergeContext } from "./kubeconfig-file.ts";
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
export { endOfStatus, failedStatus, type LastEnd, readEnd, recordEnd } from "./last-end.ts";
export { followLauncher } from "./launcher.ts";
export { createProgress, type Progress } from "./progress.ts";
export { readTraces, recordTraces, removeRunFolder, removeTraces, withdrawContext } from "./removal.ts";
export { markLayout, migrateState } from "./state-layout.ts";
export {
  endProcesses,
  findInit,
  findSupervisor,
  hasSupervisorFile,
  type SelfCommand,
  startSupervisor,
  stopProcesses,
} from "./supervisor.ts";
export { isMarkedStarting, isStarting, isUnfinished, markStarted, markStarting, markUnfinished } from "./starting.ts";
export { presentUsers } from "./user-namespace.ts";
