import type { ResourceDefinition } from "./definition.ts";

/** All served resources, found by what requests and manifests name. */
export interface Registry {
  /** In the order of discovery. */
  readonly definitions: readonly ResourceDefinition[];
  /** By URL: group ("" for core), version and plural. */
  find(group: string, version: string, plural: string): ResourceDefinition | undefined;
  /** By manifest: `apiVersion` and `kind`. */
  findKind(apiVersion: string, kind: string): ResourceDefinition | undefined;
  /** All versions under which one stored kind is served. */
  servedFrom(group: string, plural: string): readonly ResourceDefinition[];
}

export function createRegistry(definitions: readonly ResourceDefinition[]): Registry {
  const byPath = new Map<string, ResourceDefinition>();
  const byKind = new Map<string, ResourceDefinition>();
  const byPlace = new Map<string, ResourceDefinition[]>();
  for (const definition of definitions) {
    const { group, version, plural, kind, storage } = definition;
    byPath.set(`${group}/${version}/${plural}`, definition);
    byKind.set(`${group === "" ? version : `${group}/${version}`} ${kind}`, definition);
    const place = `${storage.group}/${storage.plural}`;
    byPlace.set(place, [...(byPlace.get(place) ?? []), definition]);
  }
  return {
    definitions,
    find: (group, version, plural) => byPath.get(`${group}/${version}/${plural}`),
    findKind: (apiVersion, kind) => byKind.get(`${apiVersion} ${kind}`),
    servedFrom: (group, plural) => byPlace.get(`${group}/${plural}`) ?? [],
  };
}
