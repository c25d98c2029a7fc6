/** What there is: the lists that clients read before anything else, classic and aggregated. */
import { createHash } from "node:crypto";
import type { APIGroup, APIResource } from "../../api/generated/types.ts";
import type { Registry, ResourceDefinition } from "../../api/registry/index.ts";
import { resourceNotServed } from "../../api/status.ts";
import { mediaRanges } from "./http/negotiation.ts";

/** Clients that can, ask for everything at once. */
const aggregatedVersions = ["v2", "v2beta1"] as const;

export interface DiscoveryAnswer {
  readonly body: string;
  /** Absent: plain JSON. */
  readonly contentType?: string;
  /** Clients keep the aggregated document by its hash. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Answers `/api`, `/apis` and what lies under them. Undefined for a group that is not there; throws `ApiError` 404 for a
 * version that is not. The texts are made once.
 */
export function createDiscovery(
  registry: Registry,
): (path: string, accept: string | undefined) => DiscoveryAnswer | undefined {
  const made = new Map<string, DiscoveryAnswer>();
  return (path, accept) => {
    const clean = path.replace(/\/+$/, "");
    const aggregated = clean === "/api" || clean === "/apis" ? aggregatedVersionOf(accept) : undefined;
    const slot = `${clean} ${aggregated ?? ""}`;
    const known = made.get(slot);
    if (known !== undefined) return known;
    const [, root, group] = clean.split("/");
    if (root === "apis" && group !== undefined && registry.definitions.every((one) => one.group !== group)) {
      return undefined;
    }
    const answer =
      aggregated === undefined
        ? { body: JSON.stringify(classic(registry, clean)) }
        : aggregatedAnswer(JSON.stringify(aggregatedDocument(registry, clean === "/api", aggregated)), aggregated);
    made.set(slot, answer);
    return answer;
  };
}

function aggregatedAnswer(body: string, version: string): DiscoveryAnswer {
  const hash = createHash("sha512").update(body).digest("hex").toUpperCase();
  return {
    body,
    contentType: `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
    headers: { etag: `"${hash}"`, vary: "Accept", "cache-control": "public" },
  };
}

function aggregatedVersionOf(accept: string | undefined): (typeof aggregatedVersions)[number] | undefined {
  for (const { parameters, type } of mediaRanges(accept ?? "")) {
    if (type === "application/json" && !parameters.has("as")) return undefined;
    const isDiscovery =
      parameters.get("g") === "apidiscovery.k8s.io" && parameters.get("as") === "APIGroupDiscoveryList";
    const version = aggregatedVersions.find((candidate) => candidate === parameters.get("v"));
    if (isDiscovery && version !== undefined) return version;
  }
  return undefined;
}

function classic(registry: Registry, path: string): unknown {
  const [, root, group, version] = path.split("/");
  const groups = groupsOf(registry);
  if (path === "/api") {
    return {
      kind: "APIVersions",
      versions: ["v1"],
      serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress: "" }],
    };
  }
  if (path === "/apis") {
    return { kind: "APIGroupList", apiVersion: "v1", groups: groups.filter(({ name }) => name !== "") };
  }
  if (root === "api") return resourceList(registry, "", group ?? "");
  if (version === undefined) {
    const found = groups.find(({ name }) => name === group && name !== "");
    if (found === undefined) throw resourceNotServed();
    return { kind: "APIGroup", apiVersion: "v1", ...found };
  }
  return resourceList(registry, group ?? "", version);
}

function resourceList(registry: Registry, group: string, version: string): unknown {
  const definitions = registry.definitions.filter((one) => one.group === group && one.version === version);
  if (definitions.length === 0) throw resourceNotServed();
  const groupVersion = group === "" ? version : `${group}/${version}`;
  const resources = definitions.flatMap((one) => classicResources(one, storedVersionHash(registry, one)));
  return { kind: "APIResourceList", apiVersion: "v1", groupVersion, resources };
}

/** By which clients tell whether two versions are stored as one; undefined for what is not stored. */
function storedVersionHash({ definitions }: Registry, { storage, verbs }: ResourceDefinition): string | undefined {
  if (!verbs.includes("list")) return undefined;
  const stored = definitions.find(
    (one) =>
      one.storage.group === storage.group && one.storage.plural === storage.plural && one.conversion === undefined,
  );
  if (stored === undefined) return undefined;
  const name = `${stored.group}/${stored.version}/${stored.kind}`;
  return createHash("sha256").update(name).digest().subarray(0, 8).toString("base64");
}

function classicResources(definition: ResourceDefinition, storageVersionHash: string | undefined): APIResource[] {
  const { plural, singular, kind, shortNames, categories, isNamespaced: namespaced } = definition;
  const own: APIResource = {
    name: plural,
    singularName: singular,
    namespaced,
    kind,
    verbs: definition.verbs,
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories.length === 0 ? {} : { categories }),
    ...(storageVersionHash === undefined ? {} : { storageVersionHash }),
  };
  const parts = Object.entries(definition.subresources).map(([name, subresource]): APIResource => {
    const { group, version } = subresource;
    return {
      name: `${plural}/${name}`,
      singularName: "",
      namespaced,
      ...(group === undefined ? {} : { group }),
      ...(version === undefined ? {} : { version }),
      kind: subresource.kind,
      verbs: subresource.verbs,
    };
  });
  return [own, ...parts];
}

/** In the registry's order; of each group the first version named is preferred. */
function groupsOf(registry: Registry): readonly APIGroup[] {
  const versions = new Map<string, string[]>();
  for (const { group, version } of registry.definitions) {
    const known = versions.get(group) ?? [];
    if (!known.includes(version)) versions.set(group, [...known, version].toSorted(compareVersions));
  }
  return [...versions].map(([name, list]) => {
    const named = list.map((version) => ({ groupVersion: name === "" ? version : `${name}/${version}`, version }));
    const [preferredVersion] = named;
    return { name, versions: named, ...(preferredVersion === undefined ? {} : { preferredVersion }) };
  });
}

/** Stable before beta before alpha, newer before older. */
function compareVersions(a: string, b: string): number {
  const left = rankOf(a);
  const right = rankOf(b);
  const differing = left.findIndex((value, index) => value !== right[index]);
  return differing === -1 ? 0 : (right[differing] ?? 0) - (left[differing] ?? 0);
}

function rankOf(version: string): readonly number[] {
  const [, major = "0", stage, minor = "0"] = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version) ?? [];
  return [stage === undefined ? 2 : Number(stage === "beta"), Number(major), Number(minor)];
}

function aggregatedDocument(registry: Registry, isCore: boolean, version: string): unknown {
  const groups = groupsOf(registry).filter(({ name }) => (name === "") === isCore);
  return {
    kind: "APIGroupDiscoveryList",
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map(({ name, versions }) => ({
      metadata: name === "" ? { creationTimestamp: null } : { name, creationTimestamp: null },
      versions: versions.map((served) => ({
        version: served.version,
        freshness: "Current",
        resources: registry.definitions
          .filter((one) => one.group === name && one.version === served.version)
          .map(aggregatedResource),
      })),
    })),
  };
}

function aggregatedResource(definition: ResourceDefinition): unknown {
  const { group, version, kind, plural, singular, shortNames, categories, subresources } = definition;
  const parts = Object.entries(subresources).map(([name, part]) => ({
    subresource: name,
    responseKind: { group: part.group ?? group, version: part.version ?? version, kind: part.kind },
    verbs: part.verbs,
  }));
  return {
    resource: plural,
    responseKind: { group, version, kind },
    scope: definition.isNamespaced ? "Namespaced" : "Cluster",
    singularResource: singular,
    verbs: definition.verbs,
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories.length === 0 ? {} : { categories }),
    ...(parts.length === 0 ? {} : { subresources: parts }),
  };
}
