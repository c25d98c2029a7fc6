/** Subresources that are no part of the object: they take or give another kind. */
import type { KubernetesObject, ObjectKey } from "../../../api/object.ts";
import type { RequestContext } from "../resources/environment.ts";
import type { ServedResource } from "../resources/resource.ts";

export interface ActionCall {
  readonly resource: ServedResource;
  readonly key: ObjectKey;
  readonly context: RequestContext;
}

export interface ActionResult {
  readonly code: number;
  readonly object: KubernetesObject;
}

/** Absent functions are verbs that are not served. All throw `ApiError`. */
export interface Action {
  get?(call: ActionCall): ActionResult;
  create?(call: ActionCall, body: KubernetesObject): Promise<ActionResult>;
  /** `change` gives the wanted state from the present one: PUT and PATCH alike. */
  update?(call: ActionCall, change: (old: KubernetesObject) => KubernetesObject): Promise<ActionResult>;
  /** Server-side apply of what was parsed from the body. */
  apply?(call: ActionCall, request: { readonly body: unknown; readonly isForced: boolean }): Promise<ActionResult>;
}

/** The answer of actions that only do something. */
export function done(): ActionResult {
  const status = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 };
  return { code: 201, object: status };
}
