/**
 * How many requests of a kind a server works on at once. Stored and validated as upstream's: this server answers every
 * request at once, and nothing is counted, queued or rejected by these objects.
 */
import { isJsonEqual } from "../../lib/equal/index.ts";
import { forbiddenValue, invalidValue, requiredValue, unsupportedValue } from "../field-error.ts";
import type { FieldError } from "../field-error.ts";
import type {
  LimitedPriorityLevelConfiguration,
  LimitResponse,
  PriorityLevelConfiguration,
  PriorityLevelConfigurationSpec,
  QueuingConfiguration,
} from "../generated/types.ts";
import { ageColumn, ageOf, column, nameColumn, nameOf } from "../registry/columns.ts";
import { defineResource } from "../registry/define.ts";
import { resources } from "../resources.ts";
import { conditionMistakes } from "./conditions.ts";
import { mandatoryLevels } from "./first-objects.ts";
import { priorityLevelForm } from "./internal-form.ts";

const mostQueues = 10_000_000;
/** What a hash gives to choose queues by. */
const entropyBits = 60;
/** How v1beta3 wrote a share of zero; conversion takes it away. */
const zeroSharesAnnotation = "flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares";

export const priorityLevelConfigurations = defineResource(resources.priorityLevelConfigurations, {
  hasStatus: true,
  countsGeneration: true,
  columns: [
    nameColumn,
    column("Type", "Whether the level limits its requests."),
    column("NominalConcurrencyShares", "Its part of the server's seats."),
    column("Queues", "How many queues wait for a seat."),
    column("HandSize", "Among how many queues a flow chooses."),
    column("QueueLengthLimit", "How many requests a queue holds."),
    ageColumn,
  ],
  cells: (object, now) => {
    const { type = "", limited } = object.spec ?? {};
    const queuing = limited?.limitResponse?.queuing;
    const none = "<none>";
    return [
      nameOf(object),
      type,
      limited?.nominalConcurrencyShares ?? none,
      queuing?.queues ?? none,
      queuing?.handSize ?? none,
      queuing?.queueLengthLimit ?? none,
      ageOf(object, now),
    ];
  },
  defaults({ spec }) {
    if (spec?.exempt !== undefined) {
      spec.exempt.nominalConcurrencyShares ??= 0;
      spec.exempt.lendablePercent ??= 0;
    }
    if (spec?.limited === undefined) return;
    spec.limited.nominalConcurrencyShares ??= 30;
    spec.limited.lendablePercent ??= 0;
    const { queuing } = spec.limited.limitResponse ?? {};
    if (queuing === undefined) return;
    queuing.handSize ||= 8;
    queuing.queues ||= 64;
    queuing.queueLengthLimit ||= 50;
  },
  validate: (object) => {
    const { spec = { type: "" }, metadata } = object;
    const errors: FieldError[] = [];
    if (metadata?.annotations?.[zeroSharesAnnotation] !== undefined) {
      errors.push(forbiddenValue("metadata.annotations", `annotation '${zeroSharesAnnotation}' is forbidden`));
    }
    return [...errors, ...specMistakes(spec, nameOf(object)), ...fixedMistakes(spec, nameOf(object))];
  },
  validateUpdate: ({ status }, { subresource }) =>
    subresource === "status" ? conditionMistakes(status?.conditions, "") : [],
});

function fixedMistakes(spec: PriorityLevelConfigurationSpec, name: string): readonly FieldError[] {
  const fixed = mandatoryLevels.find((level: PriorityLevelConfiguration) => nameOf(level) === name)?.spec;
  if (fixed === undefined) return [];
  const wanted = priorityLevelForm(fixed);
  const shown = priorityLevelForm(spec);
  const isExempt = name === "exempt";
  // How much the exempt level lends is the administrator's.
  if (isJsonEqual(isExempt ? { ...shown, Exempt: wanted["Exempt"] } : shown, wanted)) return [];
  const text = isExempt
    ? "spec of 'exempt' except the 'spec.exempt' field must equal the fixed value"
    : `spec of '${name}' must equal the fixed value`;
  return [invalidValue("spec", shown, text)];
}

function specMistakes({ type, limited, exempt }: PriorityLevelConfigurationSpec, name: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  if ((name === "exempt") !== (type === "Exempt")) {
    errors.push(invalidValue("spec.type", type, "must be 'Exempt' if and only if `name` is 'exempt'"));
  }
  if (type === "Exempt") {
    if (limited !== undefined) {
      errors.push(forbiddenValue("spec.limited", "must be nil if the type is not Limited"));
    }
    return [...errors, ...(exempt === undefined ? [] : shareMistakes(exempt, "spec.exempt"))];
  }
  if (type !== "Limited") return [...errors, unsupportedValue("spec.type", type, ["Exempt", "Limited"])];
  if (exempt !== undefined) errors.push(forbiddenValue("spec.exempt", "must be nil if the type is Limited"));
  return limited === undefined
    ? [...errors, requiredValue("spec.limited", "must not be empty when type is Limited")]
    : [...errors, ...limitMistakes(limited)];
}

type Shares = Pick<LimitedPriorityLevelConfiguration, "nominalConcurrencyShares" | "lendablePercent">;

function shareMistakes({ nominalConcurrencyShares: shares = 0, lendablePercent = 0 }: Shares, field: string) {
  return [...nominalMistakes(shares, field), ...lendingMistakes(lendablePercent, field)];
}

function nominalMistakes(shares: number, field: string): readonly FieldError[] {
  if (shares >= 0) return [];
  return [invalidValue(`${field}.nominalConcurrencyShares`, shares, "must be a non-negative integer")];
}

function lendingMistakes(percent: number, field: string): readonly FieldError[] {
  if (percent >= 0 && percent <= 100) return [];
  return [invalidValue(`${field}.lendablePercent`, percent, "must be between 0 and 100, inclusive")];
}

function limitMistakes(limited: LimitedPriorityLevelConfiguration): readonly FieldError[] {
  const field = "spec.limited";
  const { nominalConcurrencyShares: shares = 0, lendablePercent = 0, borrowingLimitPercent: borrows = 0 } = limited;
  const text = "if specified, must be a non-negative integer";
  return [
    ...nominalMistakes(shares, field),
    ...responseMistakes(limited.limitResponse ?? { type: "" }),
    ...lendingMistakes(lendablePercent, field),
    ...(borrows < 0 ? [invalidValue(`${field}.borrowingLimitPercent`, borrows, text)] : []),
  ];
}

function responseMistakes({ type, queuing }: LimitResponse): readonly FieldError[] {
  const field = "spec.limited.limitResponse";
  const which = "limited.limitResponse.type is";
  if (type === "Reject") {
    return queuing === undefined ? [] : [forbiddenValue(`${field}.queuing`, `must be nil if ${which} not Limited`)];
  }
  if (type !== "Queue") return [unsupportedValue(`${field}.type`, type, ["Queue", "Reject"])];
  if (queuing === undefined) return [requiredValue(`${field}.queuing`, `must not be empty if ${which} Limited`)];
  return queuingMistakes(queuing, `${field}.queuing`);
}

function queuingMistakes(
  { queueLengthLimit = 0, queues = 0, handSize = 0 }: QueuingConfiguration,
  field: string,
): readonly FieldError[] {
  const positive = "must be positive";
  const errors: FieldError[] = [];
  if (queueLengthLimit <= 0) errors.push(invalidValue(`${field}.queueLengthLimit`, queueLengthLimit, positive));
  if (queues <= 0) errors.push(invalidValue(`${field}.queues`, queues, positive));
  else if (queues > mostQueues) {
    errors.push(invalidValue(`${field}.queues`, queues, `must not be greater than ${mostQueues}`));
  }
  if (handSize <= 0) errors.push(invalidValue(`${field}.handSize`, handSize, positive));
  else if (handSize > queues) {
    errors.push(invalidValue(`${field}.handSize`, handSize, `should not be greater than queues (${queues})`));
  } else if (Math.ceil(Math.log2(queues) * handSize) > entropyBits) {
    const text = `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${entropyBits}`;
    errors.push(invalidValue(`${field}.handSize`, handSize, text));
  }
  return errors;
}
