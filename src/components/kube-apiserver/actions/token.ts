/** `token`: a new token for a service account. */
import type { AuthenticationV1TokenRequest, Pod } from "../../../api/generated/types.ts";
import { forbidden } from "../../../api/status.ts";
import type { ServiceAccountTokens } from "../authentication/service-account-tokens.ts";
import { getObject } from "../resources/read.ts";
import { servedObject } from "../resources/resource.ts";
import { nodeOf } from "../user.ts";
import type { Action, ActionCall } from "./action.ts";

export function tokenAction(tokens: ServiceAccountTokens): Action {
  return {
    create: (call, body) => {
      const { resource, key } = call;
      const account = servedObject(resource, getObject(resource, key));
      const request: AuthenticationV1TokenRequest = body;
      checkNode(call, request);
      return Promise.resolve({ code: 201, object: tokens.issue(account, request) });
    },
  };
}

/** A node gets tokens for its own pods only. Throws `ApiError` 403. */
function checkNode({ resource, key, context }: ActionCall, { spec }: AuthenticationV1TokenRequest): void {
  const node = nodeOf(context.user);
  if (node === undefined) return;
  const refuse = (why: string): never => {
    throw forbidden({ group: "", name: "serviceaccounts" }, key.name, why);
  };
  const { kind, name = "", uid = "" } = spec?.boundObjectRef ?? {};
  if (kind !== "Pod" || name === "") return refuse("node requested token not bound to a pod");
  if (uid === "") return refuse("node requested token with a pod binding without a uid");
  const { store } = resource.environment;
  const pod: Pod | undefined = store.get({ resource: "pods", namespace: key.namespace ?? "", name })?.object;
  // Issuing says that the pod is not there.
  if (pod === undefined) return undefined;
  if (pod.metadata?.uid !== uid) {
    return refuse(
      `the UID in the bound object reference (${uid}) does not match the UID in record (${pod.metadata?.uid})`,
    );
  }
  return pod.spec?.nodeName === node
    ? undefined
    : refuse("node requested token bound to a pod scheduled on a different node");
}
