/** Every request that the server answers about a resource, as data: the documents only write it down. */
import type { ResourceDefinition, Subresource, Verb } from "../registry/index.ts";
import type { GroupVersionKind } from "./schemas.ts";

export type Action = "get" | "list" | "post" | "put" | "patch" | "delete" | "deletecollection" | "connect";
export type Method = "get" | "post" | "put" | "patch" | "delete";

export interface Operation {
  readonly path: string;
  readonly method: Method;
  readonly action: Action;
  /** Unique within all documents. */
  readonly id: string;
  readonly kind: GroupVersionKind;
  /** Types of the table; a list's is that of its items. Absent: no body, or one without a schema. */
  readonly request?: string;
  readonly response?: string;
}

interface VerbForm {
  readonly method: Method;
  readonly action: Action;
  readonly where: "collection" | "object";
}

const verbForms: Readonly<Record<Exclude<Verb, "watch">, VerbForm>> = {
  list: { method: "get", action: "list", where: "collection" },
  create: { method: "post", action: "post", where: "collection" },
  deletecollection: { method: "delete", action: "deletecollection", where: "collection" },
  get: { method: "get", action: "get", where: "object" },
  update: { method: "put", action: "put", where: "object" },
  patch: { method: "patch", action: "patch", where: "object" },
  delete: { method: "delete", action: "delete", where: "object" },
};

/** `/api/v1` or `/apis/apps/v1`. */
export function rootPathOf({ group, version }: Pick<ResourceDefinition, "group" | "version">): string {
  return group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
}

function typesOf(action: Action, type: string): Pick<Operation, "request" | "response"> {
  if (action === "connect") return {};
  if (action === "post" || action === "put") return { request: type, response: type };
  if (action === "delete" || action === "deletecollection") return { request: "DeleteOptions", response: "Status" };
  return { response: type };
}

function idOf(parts: readonly string[]): string {
  return parts.map((part) => part.replaceAll(/[^A-Za-z0-9]/g, "")).join("");
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The operations of one resource and its subresources. */
export function operationsOf(definition: ResourceDefinition): readonly Operation[] {
  const { group, version, kind, plural, isNamespaced, type, verbs, subresources } = definition;
  const root = rootPathOf(definition);
  const collection = isNamespaced ? `${root}/namespaces/{namespace}/${plural}` : `${root}/${plural}`;
  const owner = capital(group.split(".")[0] || "core") + capital(version);
  const own: GroupVersionKind = { group, version, kind };
  const scope = isNamespaced ? "Namespaced" : "";
  const operations: Operation[] = [];
  for (const verb of verbs) {
    if (verb === "watch") continue;
    const { method, action, where } = verbForms[verb];
    const path = where === "collection" ? collection : `${collection}/{name}`;
    operations.push({
      path,
      method,
      action,
      id: idOf([action, owner, scope, kind]),
      kind: own,
      ...typesOf(action, type),
    });
    if (verb === "list" && isNamespaced) {
      const id = idOf([action, owner, kind, "ForAllNamespaces"]);
      operations.push({ path: `${root}/${plural}`, method, action, id, kind: own, response: type });
    }
  }
  for (const [name, subresource] of Object.entries(subresources)) {
    const path = `${collection}/{name}/${name}`;
    for (const verb of subresource.verbs) {
      const form = subresourceForm(subresource, verb);
      if (form === undefined) continue;
      operations.push({
        path,
        ...form,
        id: idOf([form.action, form.action === "connect" ? form.method : "", owner, scope, kind, capital(name)]),
        kind: {
          group: subresource.group ?? group,
          version: subresource.version ?? version,
          kind: subresource.kind,
        },
        ...typesOf(form.action, subresource.type ?? type),
      });
    }
  }
  return operations;
}

function subresourceForm(subresource: Subresource, verb: Verb): Pick<Operation, "method" | "action"> | undefined {
  if (verb === "watch") return undefined;
  const { method, action } = verbForms[verb];
  return { method, action: subresource.style === "stream" && subresource.kind !== "Pod" ? "connect" : action };
}
