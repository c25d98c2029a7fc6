/** Serves the verbs of a resource over HTTP: decodes, calls the resource, encodes. */
import { own } from "../../../lib/own/index.ts";
import type { DeleteOptions } from "../../../api/generated/types.ts";
import { isTrue } from "../request-info.ts";
import { methodNotAllowed, resourceNotServed, success } from "../../../api/status.ts";
import type { ObjectKey } from "../../../api/object.ts";
import { applyObject } from "../resources/apply.ts";
import { createObject } from "../resources/create.ts";
import { checkDeleteOptions, deleteObject } from "../resources/delete.ts";
import { deleteCollection } from "../resources/delete-collection.ts";
import type { RequestContext } from "../resources/environment.ts";
import { getObject, listObjects } from "../resources/read.ts";
import { listText, readText, writtenText } from "../resources/represent.ts";
import { createOnUpdate, updateObject } from "../resources/update.ts";
import { serveAction } from "./action-handler.ts";
import { decodeBody, decodeDeleteOptions } from "./body.ts";
import { decodeConfiguration, decodePatch, isApply } from "./patch-body.ts";
import { readBody, send } from "./exchange.ts";
import { representationOf } from "./negotiation.ts";
import { applyOptionsOf, listRequestOf, numberOf } from "./query.ts";
import { checkTimeout } from "./timeout.ts";
import { serveWatch } from "./serve-watch.ts";
import type { ResourceCall } from "./resource-call.ts";

/** Answers a request for an object, a collection, or a subresource that is a part of the object. Throws `ApiError`. */
export async function serveResource(call: ResourceCall): Promise<void> {
  const { info, resource } = call;
  if (info.verb !== "watch") checkTimeout(info.query);
  const { definition } = resource;
  const { subresources } = definition;
  const subresource = own(subresources, info.subresource);
  if (info.subresource !== "" && subresource === undefined) throw resourceNotServed();
  const verbs: readonly string[] = subresource?.verbs ?? definition.verbs;
  if (!verbs.includes(info.verb)) throw methodNotAllowed();
  // Only objects are replaced and patched.
  if (info.name === "" && (info.verb === "update" || info.verb === "patch")) throw methodNotAllowed();
  if (subresource !== undefined && subresource.style !== "object") {
    const action = call.actionOf(definition.plural, info.subresource);
    if (action === undefined) throw resourceNotServed();
    return serveAction(call, { action, subresource, key: keyOf(call) });
  }
  switch (info.verb) {
    case "get":
      return get(call);
    case "list":
      return list(call);
    case "watch":
      return serveWatch(call);
    case "create":
      return create(call);
    case "update":
      return update(call);
    case "patch":
      return patch(call);
    case "delete":
      return remove(call);
    case "deletecollection":
      return removeCollection(call);
    default:
      throw methodNotAllowed();
  }
}

function keyOf({ info, resource }: ResourceCall): ObjectKey {
  if (!resource.definition.isNamespaced) return { name: info.name };
  if (info.namespace === "") throw resourceNotServed();
  return { namespace: info.namespace, name: info.name };
}

async function get(call: ResourceCall): Promise<void> {
  const { request, response, info, resource, context } = call;
  const form = representationOf(request.headers.accept, info.query);
  const stored = getObject(resource, keyOf(call), info.query.get("resourceVersion") ?? "");
  const body = readText(resource, stored, form);
  await send(request, response, { code: 200, body, warnings: context.warnings });
}

async function list(call: ResourceCall): Promise<void> {
  const { request, response, info, resource, context } = call;
  const form = representationOf(request.headers.accept, info.query);
  const result = listObjects(resource, listRequestOf(info));
  const body = listText(resource, result, form);
  await send(request, response, { code: 200, body, warnings: context.warnings });
}

async function create(call: ResourceCall): Promise<void> {
  const { request, response, info, resource, context } = call;
  if (info.name !== "") throw methodNotAllowed();
  if (resource.definition.isNamespaced && info.namespace === "") throw resourceNotServed();
  const action = call.actionOf(resource.definition.plural, "");
  const form = representationOf(request.headers.accept, info.query, { hasTable: action?.create === undefined });
  const object = await decodeBody(
    resource.definition,
    { request, bytes: await readBody(request) },
    { validation: call.validation, warnings: context.warnings },
  );
  if (action?.create !== undefined) {
    const key: ObjectKey = { namespace: info.namespace, name: object.metadata?.name ?? "" };
    const done = await action.create({ resource, key, context }, object);
    await send(request, response, {
      code: done.code,
      body: JSON.stringify(done.object),
      warnings: context.warnings,
    });
    return;
  }
  const created = await createObject(resource, { object, namespace: info.namespace, context });
  const body = writtenText(resource, created, form);
  await send(request, response, { code: 201, body, warnings: context.warnings });
}

async function update(call: ResourceCall): Promise<void> {
  const { request, response, info, resource, context } = call;
  const form = representationOf(request.headers.accept, info.query);
  const wanted = await decodeBody(
    resource.definition,
    { request, bytes: await readBody(request) },
    { validation: call.validation, warnings: context.warnings },
  );
  const result = await createOnUpdate(resource, {
    key: keyOf(call),
    subresource: info.subresource,
    change: () => wanted,
    context,
  });
  const body = writtenText(resource, result.object, form);
  await send(request, response, { code: result.isCreated ? 201 : 200, body, warnings: context.warnings });
}

async function patch(call: ResourceCall): Promise<void> {
  const { request, response, info, resource, context } = call;
  const { isForced } = applyOptionsOf(info.query, isApply(request));
  const form = representationOf(request.headers.accept, info.query);
  if (isApply(request)) {
    const body = await decodeConfiguration(await readBody(request), {
      validation: call.validation,
      warnings: context.warnings,
    });
    const { subresource } = info;
    const requireCreate = (): void => call.requireCreate();
    const applied = await applyObject(resource, {
      key: keyOf(call),
      subresource,
      body,
      isForced,
      context,
      requireCreate,
    });
    const text = writtenText(resource, applied.object, form);
    await send(request, response, {
      code: applied.isCreated ? 201 : 200,
      body: text,
      warnings: context.warnings,
    });
    return;
  }
  const change = decodePatch(
    resource.definition,
    { request, bytes: await readBody(request) },
    { validation: call.validation, warnings: context.warnings },
  );
  const object = await updateObject(resource, { key: keyOf(call), subresource: info.subresource, change, context });
  const body = writtenText(resource, object, form);
  await send(request, response, { code: 200, body, warnings: context.warnings });
}

async function remove(call: ResourceCall): Promise<void> {
  const { request, response, info, resource, context } = call;
  const form = representationOf(request.headers.accept, info.query);
  const options = await deleteOptionsOf(call);
  const deletion = { key: keyOf(call), options, context: withDryRun(context, options) };
  const { object, isGone } = await deleteObject(resource, deletion);
  const showsObject = !isGone || resource.strategy.returnsDeleted === true;
  const body = showsObject
    ? writtenText(resource, object, form)
    : JSON.stringify(success(resource.resourceName, info.name, object.metadata?.uid));
  await send(request, response, { code: 200, body, warnings: context.warnings });
}

async function removeCollection(call: ResourceCall): Promise<void> {
  const { request, response, info, resource, context } = call;
  const form = representationOf(request.headers.accept, info.query);
  const options = await deleteOptionsOf(call);
  const deleted = await deleteCollection(resource, {
    selection: listRequestOf(info),
    options,
    context: withDryRun(context, options),
  });
  await send(request, response, { code: 200, body: listText(resource, deleted, form), warnings: context.warnings });
}

/** Options come in the body, or else in the query. Throws `ApiError` 400 and 422. */
async function deleteOptionsOf({ request, info }: ResourceCall): Promise<DeleteOptions> {
  const bytes = await readBody(request);
  const options = bytes.length === 0 ? deleteOptionsOfQuery(info.query) : await decodeDeleteOptions(request, bytes);
  checkDeleteOptions(options);
  return options;
}

function deleteOptionsOfQuery(query: URLSearchParams): DeleteOptions {
  const grace = query.get("gracePeriodSeconds");
  const policy = query.get("propagationPolicy");
  const orphan = query.get("orphanDependents");
  return {
    ...(grace === null ? {} : { gracePeriodSeconds: numberOf(grace) }),
    ...(policy === null ? {} : { propagationPolicy: policy }),
    ...(orphan === null ? {} : { orphanDependents: isTrue(orphan) }),
    ...(query.has("dryRun") ? { dryRun: query.getAll("dryRun") } : {}),
  };
}

function withDryRun(context: RequestContext, { dryRun = [] }: DeleteOptions): RequestContext {
  return { ...context, isDryRun: dryRun.length > 0 };
}
