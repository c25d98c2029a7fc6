/** Every resource that netloom serves, in the order of discovery. */
import { deployments } from "./apps/deployment.ts";
import { replicaSets } from "./apps/replica-set.ts";
import { leases } from "./coordination/lease.ts";
import { configMaps, secrets, serviceAccounts } from "./core/config.ts";
import { endpoints } from "./core/endpoints.ts";
import { namespaces } from "./core/namespace.ts";
import { nodes } from "./core/node.ts";
import { pods } from "./core/pod.ts";
import { services } from "./core/service.ts";
import { endpointSlices } from "./discovery/endpoint-slice.ts";
import { events, eventsV1 } from "./events/event.ts";
import { createRegistry } from "./registry/index.ts";
import type { Registry, ResourceDefinition } from "./registry/index.ts";

/** The built-in kinds. Build it once and hand it on. */
export function builtinResources(): Registry {
  return createRegistry(definitions);
}

const definitions: readonly ResourceDefinition[] = [
  configMaps,
  endpoints,
  events,
  namespaces,
  nodes,
  pods,
  secrets,
  serviceAccounts,
  services,
  deployments,
  replicaSets,
  leases,
  endpointSlices,
  eventsV1,
];
