/** A number of pods, given as such or as a percentage of all. */
export function resolveShare(
  value: number | string,
  { of, round }: { readonly of: number; readonly round: (value: number) => number },
): number {
  if (typeof value === "number") return value;
  return round((Number.parseInt(value, 10) * of) / 100);
}
