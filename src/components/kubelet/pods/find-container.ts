import type { Container, EphemeralContainer, Pod } from "../../../api/generated/types.ts";

export type AnyContainer = Container | EphemeralContainer;

/** All of a pod's containers: init, main and ephemeral ones. */
export function allContainers({ spec }: Pod): readonly AnyContainer[] {
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? []), ...(spec?.ephemeralContainers ?? [])];
}

export function findContainer(pod: Pod, name: string): AnyContainer | undefined {
  return allContainers(pod).find((container) => container.name === name);
}

/** `spec.containers{web}`: how an event names the container it is about. */
export function containerFieldPath({ spec }: Pod, name: string): string {
  const isIn = (list: readonly { readonly name: string }[] | undefined): boolean =>
    (list ?? []).some((container) => container.name === name);
  if (isIn(spec?.initContainers)) return `spec.initContainers{${name}}`;
  if (isIn(spec?.ephemeralContainers)) return `spec.ephemeralContainers{${name}}`;
  return `spec.containers{${name}}`;
}
