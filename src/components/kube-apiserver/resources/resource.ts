/** One served resource bound to the store: the common ground of reading and writing it. */
import type { KubernetesObject, ObjectKey } from "../../../api/object.ts";
import type { ResourceDefinition } from "../../../api/registry/index.ts";
import { deepFreeze } from "../../../lib/deep-freeze/index.ts";
import type { GroupName } from "../../../api/status.ts";
import type { Stored, StoreKey } from "../../../storage/index.ts";
import type { Strategy } from "../strategies/strategy.ts";
import type { Environment } from "./environment.ts";

export interface ServedResource {
  readonly definition: ResourceDefinition;
  readonly environment: Environment;
  readonly strategy: Strategy;
  /** The store's name of the resource; kinds that share storage share it. */
  readonly place: string;
  /** For messages: the plural and the kind with their group. */
  readonly resourceName: GroupName;
  readonly kindName: GroupName;
}

export function servedResource(definition: ResourceDefinition, environment: Environment): ServedResource {
  const { group, plural } = definition.storage;
  return {
    definition,
    environment,
    strategy: environment.strategyOf(definition),
    place: group === "" ? plural : `${plural}.${group}`,
    resourceName: { group: definition.group, name: definition.plural },
    kindName: { group: definition.group, name: definition.kind },
  };
}

export function storeKeyOf(resource: ServedResource, key: ObjectKey): StoreKey {
  return { resource: resource.place, namespace: key.namespace ?? "", name: key.name };
}

const converted = new WeakMap<KubernetesObject, Map<ResourceDefinition, KubernetesObject>>();

/** The object as this version serves it. Converted once for as long as somebody uses the stored one. */
export function servedObject({ definition }: ServedResource, stored: Stored): KubernetesObject {
  const { object } = stored;
  if (definition.conversion === undefined) return object;
  const byDefinition = converted.get(object) ?? new Map<ResourceDefinition, KubernetesObject>();
  converted.set(object, byDefinition);
  const known = byDefinition.get(definition) ?? deepFreeze(definition.conversion.toServed(object));
  byDefinition.set(definition, known);
  return known;
}

/** Kind first, as clients expect to read it, then metadata, then the rest. */
export function storedForm({ definition }: ServedResource, object: KubernetesObject): KubernetesObject {
  const { kind, apiVersion, metadata = {}, ...rest } = definition.conversion?.toStored(object) ?? object;
  return {
    ...(kind === undefined ? {} : { kind }),
    ...(apiVersion === undefined ? {} : { apiVersion }),
    metadata,
    ...rest,
  };
}
