/** Schedules of cron's five fields, as Kubernetes reads them: names, ranges, steps, lists and `@hourly`. Pure: no clock. */

/** A schedule cannot be read; the message is what upstream's parser says. */
export class CronError extends Error {
  override readonly name = "CronError";
  readonly code = "CRON_INVALID";
}

/** What each field allows. `every` is set instead for `@every 1h30m`, in milliseconds. */
export interface CronSchedule {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  /** 0 is Sunday. */
  readonly weekdays: ReadonlySet<number>;
  /** Both days and weekdays are restricted: then either suffices. */
  readonly isEitherDay: boolean;
  readonly everyMs?: number;
}

interface Bounds {
  readonly minimum: number;
  readonly maximum: number;
  readonly names?: readonly string[];
}

const bounds = {
  minutes: { minimum: 0, maximum: 59 },
  hours: { minimum: 0, maximum: 23 },
  days: { minimum: 1, maximum: 31 },
  months: {
    minimum: 1,
    maximum: 12,
    names: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
  },
  weekdays: { minimum: 0, maximum: 6, names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] },
} as const satisfies Readonly<Record<string, Bounds>>;

const descriptors: ReadonlyMap<string, string> = new Map([
  ["@yearly", "0 0 1 1 *"],
  ["@annually", "0 0 1 1 *"],
  ["@monthly", "0 0 1 * *"],
  ["@weekly", "0 0 * * 0"],
  ["@daily", "0 0 * * *"],
  ["@midnight", "0 0 * * *"],
  ["@hourly", "0 * * * *"],
]);

/** Throws `CronError`. */
export function parseCron(text: string): CronSchedule {
  if (text === "") throw new CronError("empty spec string");
  if (text.startsWith("@")) return descriptorOf(text);
  const fields = text.split(/\s+/).filter((field) => field !== "");
  const [minutes = "", hours = "", days = "", months = "", weekdays = ""] = fields;
  if (fields.length !== 5) {
    throw new CronError(`expected exactly 5 fields, found ${fields.length}: [${fields.join(" ")}]`);
  }
  return {
    minutes: setOf(minutes, bounds.minutes),
    hours: setOf(hours, bounds.hours),
    days: setOf(days, bounds.days),
    months: setOf(months, bounds.months),
    weekdays: setOf(weekdays, bounds.weekdays),
    isEitherDay: !/^[*?]/.test(days) && !/^[*?]/.test(weekdays),
  };
}

function descriptorOf(text: string): CronSchedule {
  const plain = descriptors.get(text);
  if (plain !== undefined) return parseCron(plain);
  const every = "@every ";
  if (!text.startsWith(every)) throw new CronError(`unrecognized descriptor: ${text}`);
  const everyMs = durationMs(text.slice(every.length));
  if (everyMs === undefined) throw new CronError(`failed to parse duration ${text}`);
  return { ...parseCron("* * * * *"), everyMs };
}

const unitsMs: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** Go's notation: `1h30m`. */
function durationMs(text: string): number | undefined {
  if (!/^(?:\d+(?:\.\d+)?(?:ms|h|m|s))+$/.test(text)) return undefined;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g)];
  return parts.reduce((sum, [, number = "", unit = ""]) => sum + Number(number) * (unitsMs[unit] ?? 0), 0);
}

function setOf(field: string, limits: Bounds): ReadonlySet<number> {
  const values = new Set<number>();
  for (const part of field.split(",").filter((item) => item !== "")) addRange(values, part, limits);
  return values;
}

function addRange(values: Set<number>, part: string, limits: Bounds): void {
  const [range = "", stepText, ...moreSteps] = part.split("/");
  const [first = "", last, ...moreEnds] = range.split("-");
  if (moreEnds.length > 0) throw new CronError(`too many hyphens: ${part}`);
  if (moreSteps.length > 0) throw new CronError(`too many slashes: ${part}`);
  const isAny = range === "*" || range === "?";
  const from = isAny ? limits.minimum : valueOf(first, limits);
  let to = from;
  if (last !== undefined) to = valueOf(last, limits);
  // `5/15` means from five on.
  else if (isAny || stepText !== undefined) to = limits.maximum;
  const step = stepText === undefined ? 1 : numberOf(stepText);
  if (from < limits.minimum) {
    throw new CronError(`beginning of range (${from}) below minimum (${limits.minimum}): ${part}`);
  }
  if (to > limits.maximum) throw new CronError(`end of range (${to}) above maximum (${limits.maximum}): ${part}`);
  if (from > to) throw new CronError(`beginning of range (${from}) beyond end of range (${to}): ${part}`);
  if (step === 0) throw new CronError(`step of range should be a positive number: ${part}`);
  for (let value = from; value <= to; value += step) values.add(value);
}

function valueOf(text: string, { names, minimum }: Bounds): number {
  const index = names?.indexOf(text.toLowerCase()) ?? -1;
  return index === -1 ? numberOf(text) : index + minimum;
}

function numberOf(text: string): number {
  if (/^-\d+$/.test(text)) throw new CronError(`negative number (${text}) not allowed: ${text}`);
  if (!/^\+?\d{1,9}$/.test(text)) {
    throw new CronError(
      `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  }
  return Number(text);
}
