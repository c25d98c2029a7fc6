/** Qualities of a volume that its driver can change while the volume lives. */
import { isJsonEqual } from "../../lib/equal/index.ts";
import { labelKeyMistakes } from "../../lib/labels/index.ts";
import { forbiddenValue, invalidValue, requiredValue, tooLong } from "../field-error.ts";
import type { FieldError } from "../field-error.ts";
import { ageColumn, ageOf, column, nameColumn, nameOf } from "../registry/columns.ts";
import { defineResource } from "../registry/define.ts";
import { resources } from "../resources.ts";

/** Upstream's limits, the same as for the parameters of a StorageClass. */
const mostParameters = 512;
const mostParameterBytes = 256 * 1024;

export const volumeAttributesClasses = defineResource(resources.volumeAttributesClasses, {
  shortNames: ["vac"],
  columns: [nameColumn, column("DriverName", "The driver that knows the parameters."), ageColumn],
  cells: (object, now) => [nameOf(object), object.driverName, ageOf(object, now)],
  validate: ({ driverName, parameters }) => [...driverMistakes(driverName), ...parameterMistakes(parameters ?? {})],
  validateUpdate: (object, { old }) =>
    (["driverName", "parameters"] as const)
      .filter((part) => !isJsonEqual(object[part], old[part]))
      .map((part) => forbiddenValue(part, `updates to ${part} are forbidden.`)),
});

function driverMistakes(name: string): readonly FieldError[] {
  if (name === "") return [requiredValue("driverName", "")];
  return labelKeyMistakes(name.toLowerCase()).map((sentence) => invalidValue("driverName", name, sentence));
}

function parameterMistakes(parameters: Readonly<Record<string, string>>): readonly FieldError[] {
  const entries = Object.entries(parameters);
  if (entries.length === 0) return [requiredValue("parameters", "must contain at least one key/value pair")];
  if (entries.length > mostParameters) return [tooLong("parameters", mostParameters)];
  const errors: FieldError[] = [];
  for (const [key] of entries) if (key === "") errors.push(invalidValue("parameters", key, "field can not be empty."));
  const bytes = entries.reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
  if (bytes > mostParameterBytes) errors.push(tooLong("parameters", mostParameterBytes));
  return errors;
}
