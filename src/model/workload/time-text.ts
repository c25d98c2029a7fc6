/** A time as the API writes it: RFC 3339, whole seconds. `ms` since the epoch. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}
