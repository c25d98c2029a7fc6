/** Ports of a pod's containers that hide one another. */
import type { Container, ContainerPort } from "../generated/types.ts";

/** @param containers - Each with its field. */
export function portWarnings(containers: readonly (readonly [Container, string])[]): readonly string[] {
  const ports = containers.flatMap(([{ ports: list = [] }, field]) =>
    list.map((port, index) => [port, `${field}.ports[${index}]`] as const),
  );
  const overlaps = ports.flatMap(([port, field], index) =>
    ports.slice(0, index).flatMap(([other, otherField]) => {
      const how = overlapOf(port, other);
      return how === undefined ? [] : [`${field}: ${how} with ${otherField}`];
    }),
  );
  const firsts = new Map<string, string>();
  const names = ports.flatMap(([{ name = "" }, field]) => {
    const first = firsts.get(name);
    if (name !== "" && first === undefined) firsts.set(name, field);
    if (first === undefined) return [];
    const effect = `services and probes that select ports by name will use ${first}`;
    return [`${field}: duplicate port name "${name}" with ${first}, ${effect}`];
  });
  return [...overlaps, ...names];
}

function overlapOf(port: ContainerPort, other: ContainerPort): string | undefined {
  if (port.containerPort !== other.containerPort || port.protocol !== other.protocol) return undefined;
  const { hostIP = "", hostPort = 0 } = port;
  const { hostIP: otherIp = "", hostPort: otherPort = 0 } = other;
  if (hostIP === otherIp && hostPort === otherPort) return "duplicate port definition";
  if (hostPort === 0 || otherPort === 0) return "overlapping port definition";
  if (hostPort === otherPort && (hostIP === "") !== (otherIp === "")) return "dangerously ambiguous port definition";
  return undefined;
}
