/** Machine-readable answers. */

export type Format = "json" | "yaml";

export async function formatted(value: unknown, format: Format): Promise<string> {
  if (format === "json") return `${JSON.stringify(value, undefined, 2)}\n`;
  // Only loaded when asked for: every command's answer time counts.
  const { stringify } = await import("yaml");
  return stringify(value, { aliasDuplicateObjects: false });
}

/** As kubectl writes ages: "45s", "12m", "3h", "5d". */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}
