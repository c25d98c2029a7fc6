/**
 * Which requests are of which priority level. Stored, validated and told when its level is missing, as upstream's: this
 * server answers every request at once, and no request is matched against these objects.
 */
import { isJsonEqual } from "../../lib/equal/index.ts";
import { subdomainMistakes } from "../../lib/labels/index.ts";
import { invalidValue, requiredValue, unsupportedValue } from "../field-error.ts";
import type { FieldError } from "../field-error.ts";
import type { FlowSchema, FlowSchemaSpec } from "../generated/types.ts";
import { ageColumn, ageOf, column, nameColumn, nameOf } from "../registry/columns.ts";
import { defineResource } from "../registry/define.ts";
import { resources } from "../resources.ts";
import { conditionMistakes } from "./conditions.ts";
import { mandatorySchemas } from "./first-objects.ts";
import { flowSchemaForm } from "./internal-form.ts";
import { ruleMistakes } from "./rules.ts";

const greatestPrecedence = 10_000;
const defaultPrecedence = 1000;

export const flowSchemas = defineResource(resources.flowSchemas, {
  hasStatus: true,
  countsGeneration: true,
  columns: [
    nameColumn,
    column("PriorityLevel", "The level of the requests that match."),
    column("MatchingPrecedence", "The least number that matches is taken."),
    column("DistinguisherMethod", "What makes flows of the requests."),
    ageColumn,
    column("MissingPL", "Whether the level is missing."),
  ],
  cells: (object, now) => [
    nameOf(object),
    object.spec?.priorityLevelConfiguration.name ?? "",
    object.spec?.matchingPrecedence ?? 0,
    object.spec?.distinguisherMethod?.type ?? "<none>",
    ageOf(object, now),
    object.status?.conditions?.find(({ type }) => type === "Dangling")?.status ?? "?",
  ],
  // As requests are matched; names decide where upstream's do.
  compareRows: (a, b) => {
    const difference = (a.spec?.matchingPrecedence ?? 0) - (b.spec?.matchingPrecedence ?? 0);
    return difference === 0 ? (nameOf(a) < nameOf(b) ? -1 : 1) : difference;
  },
  defaults(draft) {
    draft.spec ??= { priorityLevelConfiguration: { name: "" } };
    draft.spec.matchingPrecedence ||= defaultPrecedence;
  },
  validate: (object) => {
    const { spec = { priorityLevelConfiguration: { name: "" } } } = object;
    return [...specMistakes(spec, nameOf(object)), ...fixedMistakes(spec, nameOf(object))];
  },
  validateUpdate: ({ status }, { subresource }) =>
    subresource === "status" ? conditionMistakes(status?.conditions, "must not be empty") : [],
});

function fixedMistakes(spec: FlowSchemaSpec, name: string): readonly FieldError[] {
  const fixed = mandatorySchemas.find((schema: FlowSchema) => nameOf(schema) === name)?.spec;
  if (fixed === undefined) return [];
  const shown = flowSchemaForm(spec);
  if (isJsonEqual(shown, flowSchemaForm(fixed))) return [];
  return [invalidValue("spec", shown, `spec of '${name}' must equal the fixed value`)];
}

function specMistakes(spec: FlowSchemaSpec, name: string): readonly FieldError[] {
  const { matchingPrecedence: precedence = 0, distinguisherMethod, priorityLevelConfiguration, rules = [] } = spec;
  const errors: FieldError[] = [];
  const refuse = (text: string): void => void errors.push(invalidValue("spec.matchingPrecedence", precedence, text));
  if (precedence <= 0) refuse("must be a positive value");
  if (precedence > greatestPrecedence) refuse(`must not be greater than ${greatestPrecedence}`);
  if (precedence === 1 && name !== "exempt") refuse("only the schema named 'exempt' may have matchingPrecedence 1");
  const methods = ["ByNamespace", "ByUser"];
  if (distinguisherMethod !== undefined && !methods.includes(distinguisherMethod.type)) {
    errors.push(unsupportedValue("spec.distinguisherMethod.type", { Type: distinguisherMethod.type }, methods));
  }
  const field = "spec.priorityLevelConfiguration.name";
  const level = priorityLevelConfiguration.name;
  if (level === "") errors.push(requiredValue(field, "must reference a priority level"));
  else errors.push(...subdomainMistakes(level).map((text) => invalidValue(field, level, text)));
  return [...errors, ...rules.flatMap((rule, index) => ruleMistakes(rule, `spec.rules[${index}]`))];
}
