/** Which kinds have rules of their own. */
import type { ResourceDefinition } from "../../../api/registry/index.ts";
import { namespaceStrategy } from "./namespaces.ts";
import { podStrategy } from "./pods.ts";
import type { Strategy } from "./strategy.ts";

export interface StrategyOptions {
  readonly services: Strategy;
}

export function createStrategies({ services }: StrategyOptions): (definition: ResourceDefinition) => Strategy {
  const strategies: Readonly<Record<string, Strategy>> = {
    pods: podStrategy,
    namespaces: namespaceStrategy,
    services,
    events: { createsOnUpdate: true },
    "events.events.k8s.io": { createsOnUpdate: true },
    endpoints: { createsOnUpdate: true },
    "leases.coordination.k8s.io": { createsOnUpdate: true },
    serviceaccounts: { returnsDeleted: true },
  };
  const none: Strategy = {};
  return ({ group, plural }) => strategies[group === "" ? plural : `${plural}.${group}`] ?? none;
}
