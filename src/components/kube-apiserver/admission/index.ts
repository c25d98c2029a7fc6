/** The built-in gate. */
import type { Clock } from "../../../machinery/clock.ts";
import type { ObjectStore } from "../../../storage/index.ts";
import type { Authorizer } from "../authorization/index.ts";
import { createAdmission } from "./admission.ts";
import type { Admission } from "./admission.ts";
import { certificateApproval, certificateSigning, certificateSubjectRestriction } from "./certificates.ts";
import { persistentVolumeClaimResize } from "./claim-resize.ts";
import { defaultIngressClass, defaultStorageClass } from "./default-classes.ts";
import { limitRanger } from "./limit-ranger.ts";
import { namespaceLifecycle } from "./namespace-lifecycle.ts";
import { nodeRestriction } from "./node-restriction.ts";
import { taintNodesByCondition } from "./node-taint.ts";
import { defaultTolerationSeconds, priorityAdmission } from "./pod-defaults.ts";
import { podSecurity } from "./pod-security.ts";
import { podTopologyLabels } from "./pod-topology-labels.ts";
import { rbacEscalation } from "./rbac-escalation.ts";
import { resourceQuota } from "./resource-quota.ts";
import { runtimeClass } from "./runtime-class.ts";
import { storageObjectInUseProtection } from "./storage-protection.ts";
import { serviceAccountAdmission } from "./service-account.ts";

/** The order is upstream's: what completes an object comes before what judges it, and quotas are charged last of all. */
export function builtInAdmission(
  store: ObjectStore,
  { clock, authorizer }: { readonly clock: Pick<Clock, "now" | "sleep">; readonly authorizer: Authorizer },
): Admission {
  return createAdmission([
    namespaceLifecycle(store),
    limitRanger(store),
    serviceAccountAdmission(store, clock),
    nodeRestriction,
    taintNodesByCondition,
    podSecurity(store),
    priorityAdmission(store),
    defaultTolerationSeconds,
    defaultStorageClass(store),
    storageObjectInUseProtection,
    persistentVolumeClaimResize(store),
    runtimeClass(store),
    certificateApproval(authorizer),
    certificateSigning(authorizer),
    certificateSubjectRestriction,
    defaultIngressClass(store),
    podTopologyLabels(store),
    rbacEscalation(store, authorizer),
    resourceQuota(store),
  ]);
}
