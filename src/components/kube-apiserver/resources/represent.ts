/** Writes stored objects in the form a client asked for. Texts of the plain form are the stored ones: no second encoding. */
import { apiVersionOf } from "../../../api/object.ts";
import type { KubernetesObject } from "../../../api/object.ts";
import type { ResourceDefinition } from "../../../api/registry/index.ts";
import { notOfThatNumber } from "../../../api/status.ts";
import type { Stored } from "../../../storage/index.ts";
import type { Representation } from "../http/negotiation.ts";
import type { ListResult } from "./read.ts";
import { servedObject } from "./resource.ts";
import type { ServedResource } from "./resource.ts";

/** JSON of one object as the answer to a read of it. */
export function readText(resource: ServedResource, stored: Stored, form: Representation): string {
  requireObjectForm(resource, form);
  return objectText(resource, stored, form);
}

function requireObjectForm({ definition }: ServedResource, { metadataOf }: Representation): void {
  if (metadataOf !== "list") return;
  const type = goTypeOf(definition);
  throw notOfThatNumber(`you requested PartialObjectMetadataList, but the requested object is not a list (*${type})`);
}

function requireListForm({ definition }: ServedResource, { metadataOf }: Representation): void {
  if (metadataOf !== "object") return;
  const type = goTypeOf(definition);
  throw notOfThatNumber(`you requested PartialObjectMetadata, but the requested object is a list (*${type}List)`);
}

/** What upstream's program calls the kind: it is in its texts. */
function goTypeOf({ group, kind }: ResourceDefinition): string {
  const [name = ""] = group.split(".");
  return `${name === "" || name === "events" ? "core" : name}.${kind}`;
}

/** JSON of one object. */
export function objectText(resource: ServedResource, stored: Stored, form: Representation): string {
  const { definition } = resource;
  switch (form.form) {
    case "object":
      return definition.conversion === undefined ? stored.text : JSON.stringify(servedObject(resource, stored));
    case "metadata":
      return JSON.stringify(partialOf(servedObject(resource, stored), form));
    case "table":
      return tableText(resource, [stored], { form, resourceVersion: String(stored.revision), hasColumns: true });
  }
}

/** JSON of an object as the answer to a write. */
export function writtenText(resource: ServedResource, object: KubernetesObject, form: Representation): string {
  requireObjectForm(resource, form);
  switch (form.form) {
    case "object":
      return textOf(resource, object);
    case "metadata":
      return JSON.stringify(partialOf(object, form));
    case "table": {
      const row = rowText(resource, object, form);
      return wrapTable(resource, row, {
        form,
        metadata: { resourceVersion: object.metadata?.resourceVersion },
        hasColumns: true,
      });
    }
  }
}

/** What was just stored was encoded for that already. */
function textOf({ environment, place }: ServedResource, object: KubernetesObject): string {
  const { namespace = "", name = "" } = object.metadata ?? {};
  const stored = environment.store.get({ resource: place, namespace, name });
  return stored !== undefined && stored.object === object ? stored.text : JSON.stringify(object);
}

/** JSON of a list. */
export function listText(resource: ServedResource, list: ListResult, form: Representation): string {
  requireListForm(resource, form);
  const { definition } = resource;
  const metadata = {
    resourceVersion: String(list.revision),
    ...(list.continue === undefined ? {} : { continue: list.continue }),
    ...(list.remainingItemCount === undefined ? {} : { remainingItemCount: list.remainingItemCount }),
  };
  switch (form.form) {
    case "table": {
      const objects = list.items.map((stored) => servedObject(resource, stored));
      const isByName = definition.compareRows === undefined;
      const ordered = isByName ? objects : objects.toSorted((a, b) => definition.compareRows?.(a, b) ?? 0);
      const rows = ordered.map((object) => rowText(resource, object, form)).join(",");
      return wrapTable(resource, rows, { form, metadata, hasColumns: true });
    }
    case "metadata": {
      const items = list.items.map((stored) => partialOf(servedObject(resource, stored), form));
      const apiVersion = `meta.k8s.io/${form.version}`;
      return JSON.stringify({ kind: "PartialObjectMetadataList", apiVersion, metadata, items });
    }
    case "object": {
      const head = `{"kind":"${definition.kind}List","apiVersion":"${apiVersionOf(definition)}","metadata":${JSON.stringify(metadata)},"items":[`;
      return `${head}${list.items.map((stored) => itemText(resource, stored)).join(",")}]}`;
    }
  }
}

/** Items of a list do not repeat what the list says: `kind` and `apiVersion`. */
function itemText(resource: ServedResource, stored: Stored): string {
  const text = objectText(resource, stored, plain);
  const { definition } = resource;
  const head = `{"kind":"${definition.kind}","apiVersion":"${apiVersionOf(definition)}",`;
  return text.startsWith(head) ? `{${text.slice(head.length)}` : text;
}

const plain: Representation = { form: "object", version: "v1", includeObject: "Metadata" };

interface TableOptions {
  readonly form: Representation;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly hasColumns: boolean;
}

/** A Table of stored objects, as a watch event carries it too; there only the first has the columns. */
export function tableText(
  resource: ServedResource,
  items: readonly Stored[],
  options: Omit<TableOptions, "metadata"> & { readonly resourceVersion: string },
): string {
  const rows = items.map((stored) => rowText(resource, servedObject(resource, stored), options.form)).join(",");
  return wrapTable(resource, rows, { ...options, metadata: { resourceVersion: options.resourceVersion } });
}

function wrapTable({ definition }: ServedResource, rows: string, { form, metadata, hasColumns }: TableOptions): string {
  const columns = hasColumns ? columnsText(definition) : "null";
  return `{"kind":"Table","apiVersion":"meta.k8s.io/${form.version}","metadata":${JSON.stringify(metadata)},"columnDefinitions":${columns},"rows":[${rows}]}`;
}

function columnsText(definition: ResourceDefinition): string {
  return JSON.stringify(definition.columns);
}

function rowText({ definition, environment }: ServedResource, object: KubernetesObject, form: Representation): string {
  const cells = JSON.stringify(definition.cells(object, new Date(environment.clock.now())));
  const conditions = definition.rowConditions?.(object) ?? [];
  const head =
    conditions.length === 0 ? `"cells":${cells}` : `"cells":${cells},"conditions":${JSON.stringify(conditions)}`;
  switch (form.includeObject) {
    case "None":
      return `{${head},"object":null}`;
    case "Metadata":
      return `{${head},"object":${JSON.stringify(partialOf(object, form))}}`;
    case "Object":
      return `{${head},"object":${JSON.stringify(object)}}`;
  }
}

function partialOf(object: KubernetesObject, form: Representation): KubernetesObject {
  const apiVersion = `meta.k8s.io/${form.version}`;
  return { kind: "PartialObjectMetadata", apiVersion, metadata: object.metadata ?? {} };
}
