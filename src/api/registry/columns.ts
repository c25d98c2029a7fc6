/** Columns and cells that many kinds share. */
import type { Container } from "../generated/types.ts";
import type { KubernetesObject } from "../object.ts";
import type { Cell, Column } from "./definition.ts";

/** A column that is always shown. */
export function column(name: string, description: string, type: Column["type"] = "string"): Column {
  return { name, type, format: "", description, priority: 0 };
}

/** A column that only `-o wide` shows. */
export function wideColumn(name: string, description: string, type: Column["type"] = "string"): Column {
  return { name, type, format: "", description, priority: 1 };
}

export const nameColumn: Column = {
  name: "Name",
  type: "string",
  format: "name",
  description: "The object's name, unique within its namespace.",
  priority: 0,
};
export const ageColumn = column("Age", "The time since the server stored the object.");

/** What upstream shows of kinds without a printer of their own. */
export const defaultColumns: readonly Column[] = [
  nameColumn,
  column("Created At", "When the server stored the object.", "date"),
];

export function defaultCells(object: KubernetesObject): readonly Cell[] {
  return [nameOf(object), object.metadata?.creationTimestamp ?? null];
}

export const containerColumns: readonly Column[] = [
  wideColumn("Containers", "Names of the template's containers."),
  wideColumn("Images", "Images of the template's containers."),
];
export const selectorColumn = wideColumn("Selector", "Which pods belong to the object.");

/** The cells of `containerColumns`. */
export function containerCells(containers: readonly Container[] | undefined): readonly Cell[] {
  const all = containers ?? [];
  return [all.map(({ name }) => name).join(","), all.map(({ image }) => image ?? "").join(",")];
}

export function nameOf(object: KubernetesObject): string {
  return object.metadata?.name ?? "";
}

/** How long ago the object was stored. */
export function ageOf(object: KubernetesObject, now: Date): string {
  return timeSince(object.metadata?.creationTimestamp, now);
}

/** `5m10s` since an RFC 3339 time; `<unknown>` where there is none. */
export function timeSince(timestamp: string | undefined, now: Date): string {
  const start = timestamp === undefined ? Number.NaN : Date.parse(timestamp);
  return Number.isNaN(start) ? "<unknown>" : durationText(now.getTime() - start);
}

function withRest(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`;
}

/** A duration with two digits or so of precision, as kubectl shows ages: `90s`, `5m10s`, `3h`, `2d4h`, `3y20d`. */
export function durationText(durationMs: number): string {
  const seconds = Math.trunc(durationMs / 1000);
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.trunc(seconds / 60);
  if (minutes < 10) return withRest(minutes, "m", seconds % 60, "s");
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.trunc(minutes / 60);
  if (hours < 8) return withRest(hours, "h", minutes % 60, "m");
  if (hours < 48) return `${hours}h`;
  const days = Math.trunc(hours / 24);
  if (hours < 192) return withRest(days, "d", hours % 24, "h");
  if (days < 730) return `${days}d`;
  const years = Math.trunc(days / 365);
  return days < 8 * 365 ? withRest(years, "y", days % 365, "d") : `${years}y`;
}

/** `a,b,c + 2 more...` with at most `maximum` shown. */
export function listText(items: readonly string[], maximum: number): string {
  const shown = items.slice(0, maximum).join(",");
  return items.length > maximum ? `${shown} + ${items.length - maximum} more...` : shown;
}
