import { isJsonEqual } from "../../lib/equal/index.ts";
import { forbiddenValue, invalidValue } from "../field-error.ts";
import type { FieldError } from "../field-error.ts";
import type { Pod, PodSpec, Toleration } from "../generated/types.ts";
import { resources } from "../resources.ts";
import { defineResource } from "../registry/define.ts";
import { copyPart } from "../registry/draft.ts";
import type { UpdateContext } from "../registry/definition.ts";
import { podCells, podColumns, podRowConditions } from "./pod-columns.ts";
import { defaultPod } from "./pod-defaults.ts";
import { qosClassOf } from "./pod-qos.ts";
import { validatePodSpec } from "./pod-validation.ts";
import { podWarnings } from "./pod-warnings.ts";

/** What may change in a running pod: images, a shorter deadline, added tolerations, scheduling gates removed. */
function withMutablePartsOf(spec: PodSpec, other: PodSpec): PodSpec {
  const images = (part: "containers" | "initContainers"): Partial<PodSpec> => {
    const list = spec[part];
    if (list === undefined) return {};
    return {
      [part]: list.map((container, index) => {
        const image = other[part]?.[index]?.image;
        return image === undefined ? container : { ...container, image };
      }),
    };
  };
  const { activeDeadlineSeconds, tolerations, schedulingGates, terminationGracePeriodSeconds } = other;
  return {
    ...spec,
    ...images("containers"),
    ...images("initContainers"),
    ...(activeDeadlineSeconds === undefined ? {} : { activeDeadlineSeconds }),
    ...(tolerations === undefined ? {} : { tolerations }),
    ...(schedulingGates === undefined ? {} : { schedulingGates }),
    ...(terminationGracePeriodSeconds === 1 ? { terminationGracePeriodSeconds } : {}),
  };
}

const mutableParts =
  "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`," +
  "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations)," +
  "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

function validatePodUpdate(pod: Pod, { old, subresource }: UpdateContext<Pod>): FieldError[] {
  if (subresource === "resize" && qosClassOf(pod.spec) !== qosClassOf(old.spec)) {
    const text = "Pod QOS Class may not change as a result of resizing";
    return [invalidValue("spec", old.status?.qosClass ?? qosClassOf(old.spec), text)];
  }
  if (subresource !== "" || !pod.spec || !old.spec) return [];
  const errors: FieldError[] = [];
  const { containers, initContainers, activeDeadlineSeconds, tolerations } = pod.spec;
  for (const [part, list] of [
    ["containers", containers],
    ["initContainers", initContainers],
  ] as const) {
    if ((list ?? []).length !== (old.spec[part] ?? []).length) {
      errors.push(forbiddenValue(`spec.${part}`, "pod updates may not add or remove containers"));
    }
  }
  if (errors.length > 0) return errors;
  const before = old.spec.activeDeadlineSeconds;
  if (before !== undefined && (activeDeadlineSeconds === undefined || activeDeadlineSeconds > before)) {
    const text =
      activeDeadlineSeconds === undefined
        ? "must not update from a positive integer to nil value"
        : "must be less than or equal to previous value";
    errors.push(invalidValue("spec.activeDeadlineSeconds", activeDeadlineSeconds ?? null, text));
  }
  const without = ({ tolerationSeconds: _seconds, ...rest }: Toleration): object => rest;
  const now = (tolerations ?? []).map(without);
  if (!(old.spec.tolerations ?? []).every((known) => now.some((other) => isJsonEqual(without(known), other)))) {
    const text = "existing toleration can not be modified except its tolerationSeconds";
    errors.push(forbiddenValue("spec.tolerations", text));
  }
  if (!isJsonEqual(pod.spec, withMutablePartsOf(old.spec, pod.spec))) {
    errors.push(forbiddenValue("spec", mutableParts));
  }
  return errors;
}

const streamVerbs = ["create", "get"] as const;
const proxyVerbs = ["create", "delete", "get", "patch", "update"] as const;

/** The old way to place a pod, by POST only: as good as the pod's subresource. */
export const bindings = defineResource(resources.bindings, {
  verbs: ["create"],
  storage: { group: "", plural: "pods" },
});

export const pods = defineResource(resources.pods, {
  shortNames: ["po"],
  categories: ["all"],
  hasStatus: true,
  countsGeneration: true,
  subresources: {
    attach: { style: "stream", verbs: streamVerbs, kind: "PodAttachOptions" },
    binding: { style: "action", verbs: ["create"], kind: "Binding", type: "Binding" },
    ephemeralcontainers: { style: "object", verbs: ["get", "patch", "update"], kind: "Pod" },
    eviction: {
      style: "action",
      verbs: ["create"],
      kind: "Eviction",
      group: "policy",
      version: "v1",
      type: "Eviction",
    },
    exec: { style: "stream", verbs: streamVerbs, kind: "PodExecOptions" },
    log: { style: "stream", verbs: ["get"], kind: "Pod" },
    portforward: { style: "stream", verbs: streamVerbs, kind: "PodPortForwardOptions" },
    proxy: { style: "stream", verbs: proxyVerbs, kind: "PodProxyOptions" },
    resize: { style: "object", verbs: ["get", "patch", "update"], kind: "Pod" },
  },
  columns: podColumns,
  cells: podCells,
  rowConditions: podRowConditions,
  fields: ({ spec, status }) => ({
    "spec.nodeName": spec?.nodeName ?? "",
    "spec.restartPolicy": spec?.restartPolicy ?? "",
    "spec.schedulerName": spec?.schedulerName ?? "",
    "spec.serviceAccountName": spec?.serviceAccountName ?? "",
    "spec.hostNetwork": String(spec?.hostNetwork ?? false),
    "status.phase": status?.phase ?? "",
    "status.podIP": status?.podIP ?? status?.podIPs?.[0]?.ip ?? "",
    "status.nominatedNodeName": status?.nominatedNodeName ?? "",
  }),
  defaults(draft) {
    if (draft.spec) defaultPod(draft.spec);
  },
  onCreate(draft) {
    draft.status = { phase: "Pending", qosClass: qosClassOf(draft.spec) };
    if ((draft.spec?.schedulingGates ?? []).length > 0) {
      draft.status.conditions = [
        {
          type: "PodScheduled",
          status: "False",
          reason: "SchedulingGated",
          message: "Scheduling is blocked due to non-empty scheduling gates",
        },
      ];
    }
  },
  onUpdate(draft, { old, subresource }) {
    if (subresource !== "status") return;
    // The kubelet's view of a pod never takes it from its owner, nor undoes a deletion.
    if (draft.metadata) copyPart(draft.metadata, old.metadata, "ownerReferences");
    if (draft.status) draft.status.qosClass ??= old.status?.qosClass ?? qosClassOf(old.spec);
  },
  validate: (pod) => validatePodSpec(pod.spec, "spec"),
  validateCreate: ({ spec }) => {
    const errors: FieldError[] = [];
    if ((spec?.ephemeralContainers ?? []).length > 0) {
      errors.push(forbiddenValue("spec.ephemeralContainers", "cannot be set on create"));
    }
    if ((spec?.schedulingGates ?? []).length > 0 && (spec?.nodeName ?? "") !== "") {
      errors.push(forbiddenValue("spec.nodeName", "cannot be set until all schedulingGates have been cleared"));
    }
    return errors;
  },
  warnings: (pod, old) => (old === undefined ? podWarnings(pod) : []),
  validateUpdate: validatePodUpdate,
});
