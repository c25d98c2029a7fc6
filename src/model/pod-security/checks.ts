/** The form of one check, and how containers are named in it. */
import type { Container, PodSpec } from "../../api/generated/types.ts";
import { quoted } from "../../api/go-text.ts";

export interface Check {
  readonly reason: string;
  /** A restricted check covers it. */
  readonly isRefined?: boolean;
  find(spec: PodSpec): readonly string[];
}

export function containersOf(spec: PodSpec): readonly Container[] {
  return [...(spec.initContainers ?? []), ...spec.containers, ...((spec.ephemeralContainers ?? []) as Container[])];
}

/** `container "a"` or `containers "a", "b"`; undefined for none. */
export function named(containers: readonly { readonly name: string }[]): string | undefined {
  if (containers.length === 0) return undefined;
  return `container${containers.length === 1 ? "" : "s"} ${containers.map(({ name }) => quoted(name)).join(", ")}`;
}

/** Those containers for which `isBad` holds, and what they must do instead. */
export function eachMust(spec: PodSpec, isBad: (container: Container) => boolean, what: string): readonly string[] {
  const names = named(containersOf(spec).filter(isBad));
  return names === undefined ? [] : [`${names} ${what}`];
}

export function quotedList(values: Iterable<string>): string {
  return [...new Set(values)].toSorted().map(quoted).join(", ");
}
