import { isJsonEqual } from "../../lib/equal/index.ts";
import { invalidValue, requiredValue } from "../field-error.ts";
import { ageColumn, ageOf, column, nameColumn, nameOf } from "../registry/columns.ts";
import { nonNegative } from "../registry/checks.ts";
import { defineResource } from "../registry/define.ts";
import { immutable } from "../registry/metadata.ts";
import { resources } from "../resources.ts";

/** The group of an owner's kind in the form that columns show it: `daemonset.apps/web`. */
function controllerText(owner: { readonly apiVersion: string; readonly kind: string; readonly name: string }): string {
  const group = owner.apiVersion.includes("/") ? `.${owner.apiVersion.split("/")[0] ?? ""}` : "";
  return `${owner.kind.toLowerCase()}${group}/${owner.name}`;
}

export const controllerRevisions = defineResource(resources.controllerRevisions, {
  columns: [
    nameColumn,
    column("Controller", "Whose state the revision is."),
    column("Revision", "The number of the revision."),
    ageColumn,
  ],
  cells(object, now) {
    const owner = object.metadata?.ownerReferences?.find(({ controller }) => controller === true);
    return [nameOf(object), owner ? controllerText(owner) : "<none>", object.revision, ageOf(object, now)];
  },
  validate: ({ data, revision }) => [
    ...(data === undefined ? [requiredValue("data", "data is mandatory")] : []),
    ...nonNegative(revision, "revision"),
  ],
  validateUpdate: ({ data }, { old }) => (isJsonEqual(data, old.data) ? [] : [invalidValue("data", data, immutable)]),
});
