/** The built-in gate. */
import { createAdmission } from "./admission.ts";
import type { Admission } from "./admission.ts";
import { namespaceLifecycle } from "./namespace-lifecycle.ts";
import type { ObjectStore } from "../../../storage/index.ts";

/** The order is upstream's: what completes an object comes before what judges it. */
export function builtInAdmission(store: ObjectStore): Admission {
  return createAdmission([namespaceLifecycle(store)]);
}
