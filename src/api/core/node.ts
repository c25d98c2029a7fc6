import { IpParseError, parseCidr } from "../../lib/ip/index.ts";
import { labelKeyMistakes, labelValueMistakes } from "../../lib/labels/index.ts";
import { forbiddenValue, invalidValue, requiredValue, unsupportedValue } from "../field-error.ts";
import type { FieldError } from "../field-error.ts";
import type { Node, Taint } from "../generated/types.ts";
import { ageColumn, ageOf, column, nameColumn, nameOf, wideColumn } from "../registry/columns.ts";
import { cidrSentence } from "../registry/checks.ts";
import { defineResource } from "../registry/define.ts";
import type { Cell, Column } from "../registry/definition.ts";
import { resources } from "../resources.ts";

const nodeColumns: readonly Column[] = [
  nameColumn,
  column("Status", "Whether the node is ready and takes pods."),
  column("Roles", "The node's roles, from its labels."),
  ageColumn,
  column("Version", "The version that the node's kubelet reports."),
  wideColumn("Internal-IP", "The node's first address within the cluster."),
  wideColumn("External-IP", "The node's first address for the outside."),
  wideColumn("OS-Image", "The node's operating system."),
  wideColumn("Kernel-Version", "The node's kernel."),
  wideColumn("Container-Runtime", "The node's container runtime and its version."),
];

const rolePrefix = "node-role.kubernetes.io/";

function statusText({ spec, status }: Node): string {
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  const word = ready === undefined ? "Unknown" : ready.status === "True" ? "Ready" : "NotReady";
  return spec?.unschedulable ? `${word},SchedulingDisabled` : word;
}

function rolesText(node: Node): string {
  const roles = Object.entries(node.metadata?.labels ?? {}).map(([key, value]) => {
    if (key.startsWith(rolePrefix)) return key.slice(rolePrefix.length);
    return key === "kubernetes.io/role" ? value : "";
  });
  return [...new Set(roles.filter((role) => role !== ""))].toSorted().join(",") || "<none>";
}

function addressText({ status }: Node, wanted: string): string {
  return status?.addresses?.find(({ type }) => type === wanted)?.address ?? "<none>";
}

function nodeCells(node: Node, now: Date): readonly Cell[] {
  const info = node.status?.nodeInfo;
  return [
    nameOf(node),
    statusText(node),
    rolesText(node),
    ageOf(node, now),
    info?.kubeletVersion ?? "",
    addressText(node, "InternalIP"),
    addressText(node, "ExternalIP"),
    info?.osImage || "<unknown>",
    info?.kernelVersion || "<unknown>",
    info?.containerRuntimeVersion || "<unknown>",
  ];
}

function validateTaint(taint: Taint, field: string): FieldError[] {
  const effects = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
  const errors = labelKeyMistakes(taint.key ?? "").map((text) => invalidValue(`${field}.key`, taint.key ?? "", text));
  errors.push(
    ...labelValueMistakes(taint.value ?? "").map((text) => invalidValue(`${field}.value`, taint.value, text)),
  );
  if (!taint.effect) errors.push(requiredValue(`${field}.effect`));
  else if (!effects.includes(taint.effect)) {
    errors.push(unsupportedValue(`${field}.effect`, taint.effect, effects));
  }
  return errors;
}

function validateNode({ spec = {} }: Node): FieldError[] {
  const errors = (spec.taints ?? []).flatMap((taint, index) => validateTaint(taint, `spec.taints[${index}]`));
  (spec.podCIDRs ?? []).forEach((cidr, index) => {
    try {
      parseCidr(cidr);
    } catch (error) {
      if (!(error instanceof IpParseError)) throw error;
      errors.push(invalidValue(`spec.podCIDRs[${index}]`, cidr, cidrSentence));
    }
  });
  return errors;
}

export const nodes = defineResource(resources.nodes, {
  shortNames: ["no"],
  hasStatus: true,
  subresources: {
    proxy: { style: "stream", verbs: ["create", "delete", "get", "patch", "update"], kind: "NodeProxyOptions" },
  },
  columns: nodeColumns,
  cells: nodeCells,
  fields: ({ spec }) => ({ "spec.unschedulable": String(spec?.unschedulable ?? false) }),
  defaults(draft) {
    if (draft.spec?.podCIDR && !draft.spec.podCIDRs?.length) draft.spec.podCIDRs = [draft.spec.podCIDR];
    if (draft.spec?.podCIDRs?.[0] && !draft.spec.podCIDR) draft.spec.podCIDR = draft.spec.podCIDRs[0];
    if (draft.status?.capacity) draft.status.allocatable ??= { ...draft.status.capacity };
  },
  keepsStatusOnCreate: true,
  validate: validateNode,
  validateUpdate({ spec = {} }, { old, subresource }) {
    if (subresource !== "") return [];
    const before = old.spec ?? {};
    const errors: FieldError[] = [];
    if (before.podCIDR && spec.podCIDR !== before.podCIDR) {
      errors.push(forbiddenValue("spec.podCIDRs", 'node updates may not change podCIDR except from "" to valid'));
    }
    if (before.providerID && spec.providerID !== before.providerID) {
      errors.push(forbiddenValue("spec.providerID", 'node updates may not change providerID except from "" to valid'));
    }
    return errors;
  },
});
