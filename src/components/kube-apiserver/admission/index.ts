/** The built-in gate. */
import type { Clock } from "../../../machinery/clock.ts";
import type { ObjectStore } from "../../../storage/index.ts";
import { createAdmission } from "./admission.ts";
import type { Admission } from "./admission.ts";
import { namespaceLifecycle } from "./namespace-lifecycle.ts";
import { defaultTolerationSeconds, priorityAdmission } from "./pod-defaults.ts";
import { serviceAccountAdmission } from "./service-account.ts";

/** The order is upstream's: what completes an object comes before what judges it. */
export function builtInAdmission(store: ObjectStore, clock: Pick<Clock, "sleep">): Admission {
  return createAdmission([
    namespaceLifecycle(store),
    serviceAccountAdmission(store, clock),
    priorityAdmission(store),
    defaultTolerationSeconds,
  ]);
}
