/** Schedules in cron's form: five fields, names of months and days, `@hourly` and its like. */

/** A schedule that cannot be read. */
export class ScheduleError extends Error {
  override readonly name = "ScheduleError";
  readonly code = "CRON_SCHEDULE";
}

export interface Schedule {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  /** 0 is Sunday. */
  readonly weekdays: ReadonlySet<number>;
  /** Both days and weekdays are restricted: then either suffices. */
  readonly isEitherDay: boolean;
}

interface Field {
  readonly name: string;
  readonly low: number;
  readonly high: number;
  readonly names?: readonly string[];
}

const monthNames = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const dayNames = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const minute: Field = { name: "minute", low: 0, high: 59 };
const hour: Field = { name: "hour", low: 0, high: 23 };
const day: Field = { name: "day of month", low: 1, high: 31 };
const month: Field = { name: "month", low: 1, high: 12, names: monthNames };
const weekday: Field = { name: "day of week", low: 0, high: 6, names: dayNames };

const macros: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

/** Throws `ScheduleError`. */
export function parseSchedule(text: string): Schedule {
  const parts = (macros[text.trim().toLowerCase()] ?? text).trim().split(/\s+/);
  const [minutes, hours, days, months, weekdays] = parts;
  if (parts.length !== 5 || !minutes || !hours || !days || !months || !weekdays) {
    throw new ScheduleError(`expected exactly 5 fields, found ${text.trim() === "" ? 0 : parts.length}: [${text}]`);
  }
  return {
    minutes: parseField(minutes, minute),
    hours: parseField(hours, hour),
    days: parseField(days, day),
    months: parseField(months, month),
    weekdays: parseField(weekdays, weekday),
    isEitherDay: !isAny(days) && !isAny(weekdays),
  };
}

function isAny(text: string): boolean {
  return text.startsWith("*") || text.startsWith("?");
}

function parseField(text: string, field: Field): ReadonlySet<number> {
  const values = new Set<number>();
  for (const part of text.split(",")) {
    const [range = "", stepText, ...more] = part.split("/");
    const [firstText = "", lastText, ...extra] = range.split("-");
    if (more.length > 0 || extra.length > 0) throw new ScheduleError(`too many slashes or hyphens: ${part}`);
    const step = stepText === undefined ? 1 : numberIn(stepText, part);
    if (step === 0) throw new ScheduleError(`step of range should be a positive number: ${part}`);
    const isStar = range === "*" || range === "?";
    const first = isStar ? field.low : valueIn(firstText, field, part);
    const last = isStar
      ? field.high
      : lastText !== undefined
        ? valueIn(lastText, field, part)
        : stepText === undefined
          ? first
          : field.high;
    if (first < field.low)
      throw new ScheduleError(`beginning of range (${first}) below minimum (${field.low}): ${part}`);
    if (last > field.high) throw new ScheduleError(`end of range (${last}) above maximum (${field.high}): ${part}`);
    if (first > last) throw new ScheduleError(`beginning of range (${first}) beyond end of range (${last}): ${part}`);
    for (let value = first; value <= last; value += step) values.add(value);
  }
  return values;
}

function valueIn(text: string, { low, names }: Field, part: string): number {
  const named = names?.indexOf(text.toLowerCase()) ?? -1;
  return named >= 0 ? named + low : numberIn(text, part);
}

function numberIn(text: string, part: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new ScheduleError(`failed to parse int from ${text}: ${part}`);
  return Number(text);
}
