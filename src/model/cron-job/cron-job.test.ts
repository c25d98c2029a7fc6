import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { CronJob, CronJobSpec, Job } from "../../api/generated/types.ts";
import { planCronJob } from "./index.ts";
import { nextTime, wallClock } from "./next-time.ts";
import { parseCron } from "../../lib/cron/index.ts";

const times: readonly (readonly [schedule: string, zone: string, after: string, expected: string])[] = [
  ["*/5 * * * *", "UTC", "2026-11-20T08:02:10Z", "2026-11-20T08:05:00Z"],
  ["* * * * *", "UTC", "2026-11-20T08:02:00Z", "2026-11-20T08:03:00Z"],
  ["0 3 * * *", "Europe/Berlin", "2026-11-20T08:00:00Z", "2026-11-21T02:00:00Z"],
  ["30 14 * * mon-fri", "UTC", "2026-11-20T15:00:00Z", "2026-11-23T14:30:00Z"],
  ["0 0 1 jan ?", "UTC", "2026-11-20T15:00:00Z", "2027-01-01T00:00:00Z"],
  ["0 0 13 * fri", "UTC", "2026-11-20T15:00:00Z", "2026-11-27T00:00:00Z"],
  ["0 0 29 2 *", "UTC", "2026-11-20T15:00:00Z", "2028-02-29T00:00:00Z"],
  ["@hourly", "UTC", "2026-11-20T15:00:00Z", "2026-11-20T16:00:00Z"],
  ["10-40/15,50 5 * * *", "UTC", "2026-11-20T05:26:00Z", "2026-11-20T05:40:00Z"],
  ["0 12 * * *", "Asia/Kolkata", "2026-11-20T08:00:00Z", "2026-11-21T06:30:00Z"],
  // 2:30 is left out in the night to summer time, and midnight is an hour nearer.
  ["30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-30T00:30:00Z"],
  ["0 0 * * 1", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T22:00:00Z"],
  ["0 0 * * 1", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T23:00:00Z"],
];

test("nextTime() finds the next time of a schedule in its zone", () => {
  for (const [schedule, zone, after, expected] of times) {
    const found = nextTime(parseCron(schedule), wallClock(zone), Date.parse(after));
    assert.equal(new Date(found ?? 0).toISOString().replace(".000Z", "Z"), expected, `${schedule} ${zone}`);
  }
});

test("nextTime() counts an interval from the time before", () => {
  const after = Date.parse("2026-11-20T08:00:30.500Z");
  assert.equal(nextTime(parseCron("@every 1h30m"), wallClock("UTC"), after), Date.parse("2026-11-20T09:30:30Z"));
});

test("nextTime() finds nothing for a day that never comes, nor for an empty list", () => {
  assert.equal(nextTime(parseCron(", * * * *"), wallClock("UTC"), Date.UTC(2026, 0, 1)), undefined);
  assert.equal(nextTime(parseCron("0 0 30 2 *"), wallClock("UTC"), Date.UTC(2026, 0, 1)), undefined);
});

test("nextTime() lies after its beginning and fits the schedule", () => {
  const minutes = fc.integer({ min: 0, max: 59 });
  const hours = fc.integer({ min: 0, max: 23 });
  const zone = fc.constantFrom("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu");
  fc.assert(
    fc.property(minutes, hours, zone, fc.integer({ min: 0, max: 1e12 }), (minute, hour, timeZone, offset) => {
      const after = Date.UTC(2000, 0, 1) + offset;
      const clock = wallClock(timeZone);
      const found = nextTime(parseCron(`${minute} ${hour} * * *`), clock, after);
      assert.ok(found !== undefined && found > after && found - after < 50 * 3_600_000);
      assert.equal(clock(found).minute, minute);
      assert.equal(clock(found).hour, hour);
    }),
    { numRuns: 50 },
  );
});

const created = "2026-11-20T08:00:30Z";
const now = Date.parse("2026-11-20T08:05:10Z");

function cron(spec: Partial<CronJobSpec> = {}, status: CronJob["status"] = {}): CronJob {
  return {
    metadata: { name: "tick", namespace: "default", uid: "cron", creationTimestamp: created },
    spec: { schedule: "*/5 * * * *", jobTemplate: { spec: { template: {} } }, ...spec },
    status,
  };
}

function job(name: string, condition?: "Complete" | "Failed", startTime = created): Job {
  const conditions = condition === undefined ? [] : [{ type: condition, status: "True" }];
  const completionTime = condition === "Complete" ? { completionTime: startTime } : {};
  return { metadata: { name, namespace: "default", uid: name }, status: { startTime, conditions, ...completionTime } };
}

test("planCronJob() starts the latest job that is due, under a name made from its time", () => {
  const { start, lookAgainAfterMs } = planCronJob({ cronJob: cron(), jobs: [], now });
  const minute = Date.parse("2026-11-20T08:05:00Z") / 60_000;
  assert.equal(start?.job.metadata?.name, `tick-${minute}`);
  assert.equal(lookAgainAfterMs, 290_000);
  assert.equal(
    start.job.metadata?.annotations?.["batch.kubernetes.io/cronjob-scheduled-timestamp"],
    "2026-11-20T08:05:00Z",
  );
});

const refusals: readonly (readonly [string, CronJob, readonly Job[], readonly string[]])[] = [
  ["served already", cron({}, { lastScheduleTime: "2026-11-20T08:05:00Z" }), [], []],
  ["suspended", cron({ suspend: true }), [], []],
  ["unreadable", cron({ schedule: "x" }), [], ["UnparseableSchedule"]],
  ["in no known zone", cron({ timeZone: "Mars/Base" }), [], ["UnknownTimeZone"]],
  ["not due", cron({ schedule: "0 9 * * *" }), [], []],
  [
    "not to run beside another",
    cron({ concurrencyPolicy: "Forbid" }, { active: [{ name: "old", uid: "old" }] }),
    [job("old")],
    ["JobAlreadyActive"],
  ],
];

for (const [why, cronJob, jobs, reasons] of refusals) {
  test(`planCronJob() starts nothing that is ${why}`, () => {
    const { start, events } = planCronJob({ cronJob, jobs, now });
    assert.equal(start, undefined);
    assert.deepEqual(
      events.map(({ reason }) => reason),
      reasons,
    );
  });
}

test("planCronJob() replaces the job that still runs", () => {
  const cronJob = cron({ concurrencyPolicy: "Replace" }, { active: [{ name: "old", uid: "old" }] });
  const { start, replace } = planCronJob({ cronJob, jobs: [job("old")], now });
  assert.notEqual(start, undefined);
  assert.deepEqual(
    replace.map(({ metadata }) => metadata?.name),
    ["old"],
  );
});

test("planCronJob() after a long pause starts only the latest job, and tells of the missed ones", () => {
  const later = now + 30 * 86_400_000;
  const { start, events } = planCronJob({ cronJob: cron(), jobs: [], now: later });
  assert.equal(start?.scheduledAtMs, Date.parse("2026-12-20T08:05:00Z"));
  assert.deepEqual(
    events.map(({ reason }) => reason),
    ["TooManyMissedTimes"],
  );
});

test("planCronJob() tells of ended jobs once, and forgets all but the newest", () => {
  const jobs = [
    job("a", "Complete", "2026-11-20T08:01:00Z"),
    job("b", "Complete", "2026-11-20T08:02:00Z"),
    job("c", "Failed", "2026-11-20T08:03:00Z"),
  ];
  const status = { lastScheduleTime: "2026-11-20T08:05:00Z", active: [{ name: "b", uid: "b" }] };
  const plan = planCronJob({ cronJob: cron({ successfulJobsHistoryLimit: 1 }, status), jobs, now });
  assert.deepEqual(
    plan.forget.map(({ metadata }) => metadata?.name),
    ["a"],
  );
  assert.deepEqual(
    plan.events.map(({ message }) => message),
    ["Saw completed job: b, condition: Complete"],
  );
  assert.equal(plan.status.lastSuccessfulTime, "2026-11-20T08:02:00Z");
  assert.equal(plan.status.active, undefined);
});
