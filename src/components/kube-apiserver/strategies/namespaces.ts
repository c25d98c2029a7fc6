/** A namespace stays until its content is gone: the namespace controller then takes "kubernetes" off `spec.finalizers`. */
import type { Namespace } from "../../../api/generated/types.ts";
import type { Strategy } from "./strategy.ts";

export const namespaceStrategy: Strategy = {
  isHeld: (object) => ((object as Namespace).spec?.finalizers ?? []).length > 0,
  markDeleted: (object) => {
    const namespace: Namespace = object;
    return { ...namespace, status: { ...namespace.status, phase: "Terminating" } } as Namespace;
  },
};
