/** When a schedule is due, in a time zone. */
import type { CronSchedule } from "../../lib/cron/index.ts";

const [minuteMs, hourMs, dayMs] = [60_000, 3_600_000, 86_400_000];
/** After so many days without a time there is none: the 30th of February. */
const longestMs = 5 * 366 * dayMs;

/** The clock on the wall there. */
interface WallTime {
  readonly month: number;
  readonly day: number;
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
}

export type WallClock = (ms: number) => WallTime;

/** Throws a `RangeError` where the zone is not known. */
export function wallClock(timeZone: string): WallClock {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
  });
  return (ms) => {
    const parts = new Map(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
    const [month, day, year] = [parts.get("month") ?? 1, parts.get("day") ?? 1, parts.get("year") ?? 1970];
    const weekday = new Date(Date.UTC(year, month - 1, day)).getUTCDay();
    return { month, day, weekday, hour: parts.get("hour") ?? 0, minute: parts.get("minute") ?? 0 };
  };
}

/**
 * The first time after `after` (milliseconds since the epoch) at which the schedule is due; undefined where there is none
 * within five years. A time that the change to summer time leaves out is left out; one that comes twice is due twice.
 */
export function nextTime(schedule: CronSchedule, clock: WallClock, after: number): number | undefined {
  const { everyMs, minutes, hours } = schedule;
  if (everyMs !== undefined) return Math.floor((after + Math.max(everyMs, 1000)) / 1000) * 1000;
  // A list of nothing but commas.
  if (minutes.size === 0 || hours.size === 0) return undefined;
  let at = Math.floor(after / minuteMs) * minuteMs + minuteMs;
  while (at - after < longestMs) {
    const wall = clock(at);
    if (!isDay(schedule, wall)) at = nextDay(clock, at, wall);
    else if (!schedule.hours.has(wall.hour)) at += hourMs - wall.minute * minuteMs;
    else if (!schedule.minutes.has(wall.minute)) at += minuteMs;
    else return at;
  }
  return undefined;
}

function isDay({ months, days, weekdays, isEitherDay }: CronSchedule, { month, day, weekday }: WallTime): boolean {
  if (!months.has(month)) return false;
  return isEitherDay ? days.has(day) || weekdays.has(weekday) : days.has(day) && weekdays.has(weekday);
}

/** The beginning of the next day there, which may have 23 or 25 hours. */
function nextDay(clock: WallClock, at: number, { hour, minute, day }: WallTime): number {
  const guess = at + dayMs - hour * hourMs - minute * minuteMs;
  const there = clock(guess);
  // One hour too early: the day had 25.
  if (there.day === day) return guess + hourMs;
  // Too late: it had 23.
  const isLate = there.hour > 0 && clock(guess - there.hour * hourMs).day === there.day;
  return isLate ? guess - there.hour * hourMs - there.minute * minuteMs : guess;
}
