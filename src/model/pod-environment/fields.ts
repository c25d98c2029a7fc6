/** What the downward API tells a container of its pod and of its resources. */
import { own } from "../../lib/own/index.ts";
import type { Container, EphemeralContainer, Pod, ResourceFieldSelector } from "../../api/generated/types.ts";
import { parseQuantity, quantityMilli, quantityUnits } from "../../lib/quantity/index.ts";
import { EnvironmentError } from "./errors.ts";

export interface FieldContext {
  readonly pod: Pod;
  readonly nodeName: string;
  readonly podIps: readonly string[];
  readonly hostIps: readonly string[];
  /** What stands for a limit that is not set. */
  readonly allocatable: { readonly cpuMilli: number; readonly memoryBytes: number };
}

/** The text of `metadata.name`, `metadata.labels['app']`, `status.podIP`, … Throws `EnvironmentError` for any other path. */
export function fieldText(path: string, { pod, nodeName, podIps, hostIps }: FieldContext): string {
  const { metadata = {}, spec } = pod;
  const keyed = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(path);
  if (keyed !== null) {
    const [, map, key = ""] = keyed;
    return own(map === "labels" ? metadata.labels : metadata.annotations, key) ?? "";
  }
  switch (path) {
    case "metadata.name":
      return metadata.name ?? "";
    case "metadata.namespace":
      return metadata.namespace ?? "";
    case "metadata.uid":
      return metadata.uid ?? "";
    case "metadata.labels":
      return mapText(metadata.labels ?? {});
    case "metadata.annotations":
      return mapText(metadata.annotations ?? {});
    case "spec.nodeName":
      return nodeName;
    case "spec.serviceAccountName":
      return spec?.serviceAccountName ?? "";
    case "status.hostIP":
      return hostIps[0] ?? "";
    case "status.hostIPs":
      return hostIps.join(",");
    case "status.podIP":
      return podIps[0] ?? "";
    case "status.podIPs":
      return podIps.join(",");
    default:
      throw new EnvironmentError(`unsupported fieldPath: ${path}`);
  }
}

/** One `key="value"` line per entry, by key, as a downward API file has it. */
function mapText(map: Readonly<Record<string, string>>): string {
  const keys = Object.keys(map).toSorted();
  return keys.map((key) => `${key}=${JSON.stringify(map[key])}`).join("\n");
}

/** The number a `resourceFieldRef` asks for, divided and rounded up. Throws `EnvironmentError` for an unknown resource. */
export function resourceText(
  selector: ResourceFieldSelector,
  container: Container | EphemeralContainer,
  { allocatable }: FieldContext,
): string {
  const match = /^(limits|requests)\.(.+)$/.exec(selector.resource);
  const [, list, resource = ""] = match ?? [];
  if (list === undefined || !isKnown(resource)) {
    throw new EnvironmentError(`unsupported container resource : ${selector.resource}`);
  }
  const amounts = list === "limits" ? container.resources?.limits : container.resources?.requests;
  const written = amounts?.[resource];
  const divisor = parseQuantity(
    selector.divisor === undefined || selector.divisor === "0" || selector.divisor === "" ? "1" : selector.divisor,
  );
  if (resource === "cpu") {
    const defaultMilli = list === "limits" ? allocatable.cpuMilli : 0;
    const milli = written === undefined ? defaultMilli : quantityMilli(parseQuantity(written));
    return String(Math.ceil(milli / quantityMilli(divisor)));
  }
  const defaultUnits = list === "limits" && resource === "memory" ? allocatable.memoryBytes : 0;
  const units = written === undefined ? defaultUnits : quantityUnits(parseQuantity(written));
  return String(Math.ceil(units / quantityUnits(divisor)));
}

function isKnown(resource: string): boolean {
  return ["cpu", "memory", "ephemeral-storage"].includes(resource) || resource.startsWith("hugepages-");
}
