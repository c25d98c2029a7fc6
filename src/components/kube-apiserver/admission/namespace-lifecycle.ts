/** Nothing is created in a namespace that is not there or is going away; the system's namespaces stay. */
import type { Namespace } from "../../../api/generated/types.ts";
import { forbidden, notFound } from "../../../api/status.ts";
import { ApiError } from "../../../api/status.ts";
import type { ObjectStore } from "../../../storage/index.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./admission.ts";

const immortal = new Set(["default", "kube-system", "kube-public"]);

export function namespaceLifecycle(store: ObjectStore): AdmissionPlugin {
  const checkNamespace = ({ operation, definition, namespace, name, subresource }: AdmissionRequest): void => {
    if (operation !== "CREATE" || !definition.isNamespaced || subresource !== "") return;
    const stored = store.latest({ resource: "namespaces", namespace: "", name: namespace });
    if (stored === undefined) throw notFound({ group: "", name: "namespaces" }, namespace);
    const { metadata, status } = stored.object as Namespace;
    if (metadata?.deletionTimestamp === undefined && status?.phase !== "Terminating") return;
    const resource = { group: definition.group, name: definition.plural };
    const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
    const { status: refusal } = forbidden(resource, name, why);
    const causes = [
      {
        reason: "NamespaceTerminating",
        message: `namespace ${namespace} is being terminated`,
        field: "metadata.namespace",
      },
    ];
    throw new ApiError({ ...refusal, details: { ...refusal.details, causes } });
  };
  return {
    name: "NamespaceLifecycle",
    // Before anybody waits for what a namespace has.
    before: (request) => checkNamespace(request),
    validate: (request) => {
      const { operation, definition, name } = request;
      const isNamespace = definition.group === "" && definition.plural === "namespaces";
      if (operation === "DELETE" && isNamespace && immortal.has(name)) {
        throw forbidden({ group: "", name: "namespaces" }, name, "this namespace may not be deleted");
      }
      checkNamespace(request);
    },
  };
}
