/** The level of pod security that a namespace's labels ask for: pods beyond it are refused, or warned of. */
import type { Namespace, Pod, PodSpec } from "../../../api/generated/types.ts";
import type { KubernetesObject } from "../../../api/object.ts";
import { forbidden } from "../../../api/status.ts";
import { isJsonEqual } from "../../../lib/equal/index.ts";
import { podSecurityPolicy, podSecurityViolations } from "../../../model/pod-security/index.ts";
import type { ObjectStore } from "../../../storage/index.ts";
import type { AdmissionPlugin } from "./admission.ts";

/** Kinds whose pods come from a template: they are stored whatever it says, their writer is only warned. */
const templated: ReadonlySet<string> = new Set([
  "replicationcontrollers",
  "podtemplates",
  "replicasets.apps",
  "deployments.apps",
  "statefulsets.apps",
  "daemonsets.apps",
  "jobs.batch",
  "cronjobs.batch",
]);

export function podSecurity(store: ObjectStore): AdmissionPlugin {
  return {
    name: "PodSecurity",
    validate: ({ operation, definition, subresource, namespace, name, object, old, warnings }) => {
      if (object === undefined || (operation !== "CREATE" && operation !== "UPDATE")) return;
      const { group, plural } = definition.storage;
      const resource = group === "" ? plural : `${plural}.${group}`;
      const isPod = resource === "pods";
      if ((!isPod && !templated.has(resource)) || (subresource !== "" && subresource !== "ephemeralcontainers")) return;
      const stored: Namespace | undefined = store.get({
        resource: "namespaces",
        namespace: "",
        name: namespace,
      })?.object;
      const labels = stored?.metadata?.labels;
      if (labels === undefined) return;
      const spec = isPod ? (object as Pod).spec : templateOf(object);
      if (spec === undefined) return;
      const before = isPod && old !== undefined ? (old as Pod).spec : undefined;
      if (before !== undefined && isJsonEqual(before, spec)) return;
      if (isPod) {
        const policy = podSecurityPolicy(labels, "enforce");
        const violations = podSecurityViolations(policy.level, spec);
        if (violations !== "") {
          throw forbidden({ group: "", name: "pods" }, name, `violates PodSecurity ${policy.text}: ${violations}`);
        }
      }
      const policy = podSecurityPolicy(labels, "warn");
      const violations = podSecurityViolations(policy.level, spec);
      if (violations !== "") warnings.push(`would violate PodSecurity ${policy.text}: ${violations}`);
    },
  };
}

interface Template {
  readonly template?: { readonly spec?: PodSpec };
}

function templateOf(object: KubernetesObject): PodSpec | undefined {
  const { spec, template } = object as Template & {
    readonly spec?: Template & { readonly jobTemplate?: { readonly spec?: Template } };
  };
  return (spec?.template ?? spec?.jobTemplate?.spec?.template ?? template)?.spec;
}
