const unitsMs: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** Go's durations, as kubectl takes them: "30s", "1m30s", "500ms"; a bare number is seconds. In milliseconds; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  if (!/^(\d+(\.\d+)?(h|m|s|ms))+$/.test(text)) return undefined;
  return [...text.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g)].reduce(
    (sum, [, amount, unit = "s"]) => sum + Number(amount) * (unitsMs[unit] ?? 0),
    0,
  );
}
