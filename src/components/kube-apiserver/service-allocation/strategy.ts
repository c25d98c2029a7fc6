/** What a Service is given when it is written: families, addresses, node ports. */
import type { Service, ServicePort, ServiceSpec } from "../../../api/generated/types.ts";
import { invalidValue } from "../../../api/field-error.ts";
import { draftOf } from "../../../api/registry/index.ts";
import type { Draft } from "../../../api/registry/index.ts";
import { internalError, invalid } from "../../../api/status.ts";
import type { ApiError } from "../../../api/status.ts";
import type { Prepared, Strategy } from "../strategies/strategy.ts";
import { familiesOf } from "../../../model/cluster-config.ts";
import type { PerFamily } from "../../../model/cluster-config.ts";
import { nodePortsOf } from "./allocations.ts";
import type { AllocationProblem, Allocations, Hold } from "./allocations.ts";
import { settleFamilies } from "./families.ts";
import { clusterIpsOf } from "./service-addresses.ts";

interface ServiceStrategyOptions {
  readonly allocations: Allocations;
  /** "10.96.0.0/12", "fd00:10:96::/112": which families Services can have. */
  readonly serviceCidrs: PerFamily;
  readonly nodePortRange: { readonly first: number; readonly last: number };
}

const kind = { group: "", name: "Service" };

export function createServiceStrategy(options: ServiceStrategyOptions): Strategy {
  const { allocations } = options;
  const families = familiesOf(options);
  const { first, last } = options.nodePortRange;
  const portProblems: Readonly<Record<AllocationProblem, string>> = {
    outside: `provided port is not in the valid range. The range of valid ports is ${first}-${last}`,
    taken: "provided port is already allocated",
  };

  return {
    prepare: (object, { old }): Prepared => {
      const service = draftOf<Service>(object);
      if (service.spec === undefined) return { object };
      const mistakes = settleFamilies(service, { old, families });
      if (mistakes.length > 0) throw invalid(kind, service.metadata?.name ?? "", mistakes);
      const hold = allocations.hold();
      try {
        allocateAddresses(service, { old, hold });
        allocatePorts(service, { old, hold, problems: portProblems });
        allocateHealthCheckPort(service, { old, hold, problems: portProblems });
        return { object: service, reservation: hold };
      } catch (error) {
        hold.release();
        throw error;
      }
    },
  };
}

interface AllocateOptions {
  readonly old: Service | undefined;
  readonly hold: Hold;
}

const addressProblems: Readonly<Record<AllocationProblem, string>> = {
  outside: "the provided network does not match the current range",
  taken: "provided IP is already allocated",
};
const full = "range is full";

function allocateAddresses(service: Draft<Service>, { old, hold }: AllocateOptions): void {
  const { spec } = service;
  if (spec === undefined || spec.type === "ExternalName") return;
  if (spec.clusterIP === "None") {
    spec.clusterIPs = ["None"];
    return;
  }
  const owned = old === undefined ? [] : clusterIpsOf(old);
  const wanted = clusterIpsOf(service);
  for (const address of wanted) {
    const problem = owned.includes(address) ? undefined : hold.address(address);
    if (problem !== undefined) {
      const text = `failed to allocate IP ${address}: ${addressProblems[problem]}`;
      throw invalid(kind, service.metadata?.name ?? "", [invalidValue("spec.clusterIPs", wanted, text)]);
    }
  }
  const addresses = [...wanted];
  for (const family of (spec.ipFamilies ?? []).slice(wanted.length)) {
    const address = hold.anyAddress(family === "IPv6" ? "IPv6" : "IPv4");
    if (address === undefined) throw internalError(`failed to allocate a serviceIP: ${full}`);
    addresses.push(address);
  }
  const [primary] = addresses;
  if (primary !== undefined) spec.clusterIP = primary;
  spec.clusterIPs = addresses;
}

interface PortOptions extends AllocateOptions {
  readonly problems: Readonly<Record<AllocationProblem, string>>;
}

function allocatePorts(service: Draft<Service>, { old, hold, problems }: PortOptions): void {
  const { spec } = service;
  if (spec === undefined || !hasNodePorts(spec)) return;
  const owned = new Set(old === undefined ? [] : nodePortsOf(old));
  const taken = new Set<number>();
  // What users chose comes first, so that no chance takes it.
  (spec.ports ?? []).forEach(({ nodePort }, index) => {
    if (nodePort === undefined || nodePort === 0 || taken.has(nodePort)) return;
    const problem = owned.has(nodePort) ? undefined : hold.port(nodePort);
    if (problem !== undefined) throw refusedPort(service, { index, nodePort, text: problems[problem] });
    taken.add(nodePort);
  });
  for (const port of spec.ports ?? []) {
    if (port.nodePort !== undefined && port.nodePort !== 0) continue;
    const twin = twinOf(port, spec.ports ?? []);
    const nodePort = twin ?? hold.anyPort();
    if (nodePort === undefined) throw internalError(`failed to allocate a nodePort: ${full}`);
    port.nodePort = nodePort;
  }
}

/** TCP and UDP of one port number share their node port where the user did not choose. */
function twinOf(port: ServicePort, ports: readonly ServicePort[]): number | undefined {
  const isFree = (nodePort: number): boolean =>
    !ports.some((other) => other.nodePort === nodePort && (other.protocol ?? "TCP") === (port.protocol ?? "TCP"));
  return ports.find((other) => {
    const { nodePort } = other;
    return other !== port && other.port === port.port && nodePort !== undefined && nodePort !== 0 && isFree(nodePort);
  })?.nodePort;
}

function refusedPort(
  service: Service,
  { index, nodePort, text }: { readonly index: number; readonly nodePort: number; readonly text: string },
): ApiError {
  const mistake = invalidValue(`spec.ports[${index}].nodePort`, nodePort, text);
  return invalid(kind, service.metadata?.name ?? "", [mistake]);
}

function hasNodePorts(spec: ServiceSpec): boolean {
  if (spec.type === "NodePort") return true;
  return spec.type === "LoadBalancer" && spec.allocateLoadBalancerNodePorts !== false;
}

/** A load balancer asks each node on this port whether it has endpoints of its own. */
function allocateHealthCheckPort(service: Draft<Service>, { old, hold, problems }: PortOptions): void {
  const { spec } = service;
  if (spec?.type !== "LoadBalancer" || spec.externalTrafficPolicy !== "Local") return;
  const wanted = spec.healthCheckNodePort ?? 0;
  if (wanted === 0) {
    const port = hold.anyPort();
    if (port === undefined) throw internalError(`failed to allocate a HealthCheck NodePort: ${full}`);
    spec.healthCheckNodePort = port;
    return;
  }
  if (old?.spec?.healthCheckNodePort === wanted) return;
  const problem = hold.port(wanted);
  if (problem !== undefined) {
    throw internalError(`failed to allocate requested HealthCheck NodePort ${wanted}: ${problems[problem]}`);
  }
}
