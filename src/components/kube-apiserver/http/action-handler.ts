/** Serves subresources that take or give another kind. */
import type { DecodeTarget } from "../../../api/decode/index.ts";
import type { KubernetesObject, ObjectKey } from "../../../api/object.ts";
import { methodNotAllowed } from "../../../api/status.ts";
import type { Subresource } from "../../../api/registry/index.ts";
import type { Action, ActionCall, ActionResult } from "../actions/index.ts";
import { decodeBody } from "./body.ts";
import { readBody, send } from "./exchange.ts";
import { decodeConfiguration, decodePatch, isApply } from "./patch-body.ts";
import { applyOptionsOf } from "./query.ts";
import type { ResourceCall } from "./resource-call.ts";

export async function serveAction(
  call: ResourceCall,
  { action, subresource, key }: { readonly action: Action; readonly subresource: Subresource; readonly key: ObjectKey },
): Promise<void> {
  const { request, response, info, resource, context } = call;
  const target: DecodeTarget = {
    group: subresource.group ?? resource.definition.group,
    version: subresource.version ?? resource.definition.version,
    kind: subresource.kind,
    type: subresource.type ?? subresource.kind,
  };
  const decoding = { validation: call.validation, warnings: context.warnings };
  const actionCall: ActionCall = { resource, key, context };
  const act = async (): Promise<ActionResult | undefined> => {
    if (info.verb === "get") return action.get?.(actionCall);
    const bytes = await readBody(request);
    switch (info.verb) {
      case "create":
        return action.create?.(actionCall, await decodeBody(target, { request, bytes }, decoding));
      case "update": {
        const wanted = await decodeBody<KubernetesObject>(target, { request, bytes }, decoding);
        return action.update?.(actionCall, () => wanted);
      }
      case "patch": {
        const { isForced } = applyOptionsOf(info.query, isApply(request));
        if (isApply(request))
          return action.apply?.(actionCall, { body: await decodeConfiguration(bytes, decoding), isForced });
        return action.update?.(actionCall, decodePatch(target, { request, bytes }, decoding));
      }
      default:
        return undefined;
    }
  };
  const result = await act();
  if (result === undefined) throw methodNotAllowed();
  await send(request, response, {
    code: result.code,
    body: JSON.stringify(result.object),
    warnings: context.warnings,
  });
}
