/** LimitRanges and ResourceQuotas. */
import { requiredValue, unsupportedValue } from "../field-error.ts";
import type { ResourceQuota } from "../generated/types.ts";
import { ageColumn, ageOf, column, nameColumn, nameOf } from "../registry/columns.ts";
import { defineResource } from "../registry/define.ts";
import { resources } from "../resources.ts";
import { readQuantities } from "./resources-validation.ts";

export const limitRanges = defineResource(resources.limitRanges, {
  shortNames: ["limits"],
  defaults({ spec }) {
    for (const limit of spec?.limits ?? []) {
      if (limit.type !== "Container") continue;
      // What is not said follows from its neighbour: the default from the maximum, the request from the default.
      limit.default = { ...limit.max, ...limit.default };
      limit.defaultRequest = { ...limit.min, ...limit.default, ...limit.defaultRequest };
    }
  },
  validate: ({ spec }) =>
    (spec?.limits ?? []).flatMap((limit, index) => {
      const field = `spec.limits[${index}]`;
      return [
        ...(limit.type === "" ? [requiredValue(`${field}.type`)] : []),
        ...(["max", "min", "default", "defaultRequest"] as const).flatMap(
          (part) => readQuantities(limit[part], `${field}.${part}`).errors,
        ),
      ];
    }),
});

/** `pods: 1/10, services: 0/5`, requests and limits apart. */
function usageText({ status }: ResourceQuota, isLimit: boolean): string {
  const hard = Object.entries(status?.hard ?? {}).filter(([name]) => name.startsWith("limits.") === isLimit);
  return hard
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, most]) => `${name}: ${status?.used?.[name] ?? "0"}/${most}`)
    .join(", ");
}

export const resourceQuotas = defineResource(resources.resourceQuotas, {
  shortNames: ["quota"],
  hasStatus: true,
  columns: [
    nameColumn,
    column("Request", "What is used of the quota of requests and objects."),
    column("Limit", "What is used of the quota of limits."),
    ageColumn,
  ],
  cells: (object, now) => [nameOf(object), usageText(object, false), usageText(object, true), ageOf(object, now)],
  validate({ spec }) {
    const scopes = [
      "BestEffort",
      "CrossNamespacePodAffinity",
      "NotBestEffort",
      "NotTerminating",
      "PriorityClass",
      "Terminating",
      "VolumeAttributesClass",
    ];
    const unknown = (spec?.scopes ?? []).filter((scope) => !scopes.includes(scope));
    return [
      ...readQuantities(spec?.hard, "spec.hard").errors,
      ...unknown.map((scope) => unsupportedValue("spec.scopes", scope, scopes)),
    ];
  },
});
