/** The level of pod security that a namespace's labels ask for: pods beyond it are refused, or warned of. */
import type { Pod, PodSpec } from "../../../api/generated/types.ts";
import { quoted } from "../../../api/go-text.ts";
import type { KubernetesObject } from "../../../api/object.ts";
import { forbidden, invalid } from "../../../api/status.ts";
import { isJsonEqual } from "../../../lib/equal/index.ts";
import {
  isStricter,
  podSecurityPolicies,
  podSecurityViolations,
  podSecurityWarnings,
} from "../../../model/pod-security/index.ts";
import type { PodSecurityPolicy } from "../../../model/pod-security/index.ts";
import type { ObjectStore } from "../../../storage/index.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./admission.ts";

const prefix = "pod-security.kubernetes.io/";

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

/** Of them the warnings are made that a stricter namespace gives. */
const mostPods = 3000;

export function podSecurity(store: ObjectStore): AdmissionPlugin {
  return {
    name: "PodSecurity",
    validate: (request) => {
      const { operation, definition, subresource } = request;
      if (request.object === undefined || (operation !== "CREATE" && operation !== "UPDATE")) return;
      const { group, plural } = definition.storage;
      const resource = group === "" ? plural : `${plural}.${group}`;
      if (resource === "namespaces" && subresource === "") checkNamespace(request, store);
      if (resource !== "pods" && !templated.has(resource)) return;
      if (subresource === "" || subresource === "ephemeralcontainers") checkPod(request, resource === "pods", store);
    },
  };
}

function checkPod(
  { namespace, name, object, old, warnings, annotations }: AdmissionRequest,
  isPod: boolean,
  store: ObjectStore,
): void {
  const stored = store.get({ resource: "namespaces", namespace: "", name: namespace })?.object;
  const spec = isPod ? (object as Pod).spec : templateOf(object as KubernetesObject);
  if (stored === undefined || spec === undefined) return;
  const before = isPod && old !== undefined ? (old as Pod).spec : undefined;
  if (before !== undefined && isJsonEqual(before, spec)) return;
  const { enforce, audit, warn } = podSecurityPolicies(stored.metadata?.labels);
  if (isPod) annotations[`${prefix}enforce-policy`] = enforce.text;
  const audited = podSecurityViolations(audit.level, spec);
  if (audited !== "") annotations[`${prefix}audit-violations`] = wouldViolate(audit, audited);
  const enforced = isPod ? podSecurityViolations(enforce.level, spec) : "";
  if (enforced !== "") {
    const why = `violates PodSecurity ${quoted(enforce.text)}: ${enforced}`;
    throw forbidden({ group: "", name: "pods" }, name, why);
  }
  const warned = podSecurityViolations(warn.level, spec);
  if (warned !== "") warnings.push(wouldViolate(warn, warned));
}

const wouldViolate = ({ text }: PodSecurityPolicy, violations: string): string =>
  `would violate PodSecurity ${quoted(text)}: ${violations}`;

/** Its labels have to be readable where they change; who makes it stricter hears which pods it would not let in. */
function checkNamespace({ operation, name, object, old, warnings }: AdmissionRequest, store: ObjectStore): void {
  const next = podSecurityPolicies(object?.metadata?.labels);
  const before = podSecurityPolicies(old?.metadata?.labels);
  if (next.mistakes.length > 0 && !isJsonEqual(next.mistakes, before.mistakes)) {
    throw invalid({ group: "", name: "Namespace" }, name, next.mistakes);
  }
  if (operation !== "UPDATE" || next.enforce.text === before.enforce.text) return;
  const [, version] = next.enforce.text.split(":");
  const isSameVersion = before.enforce.text.endsWith(`:${version}`);
  if (isSameVersion && !isStricter(before.enforce.level, next.enforce.level)) return;
  const pods = store.list("pods", { namespace: name }).items.map((stored): Pod => stored.object);
  if (pods.length > mostPods) {
    const checked = `the first ${mostPods} of ${pods.length} existing pods`;
    warnings.push(`new PodSecurity enforce level only checked against ${checked}`);
  }
  warnings.push(...podSecurityWarnings(name, next.enforce, pods.slice(0, mostPods)));
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
