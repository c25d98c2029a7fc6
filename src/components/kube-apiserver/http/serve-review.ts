/** Answers a question that is asked by creating an object. */
import { apiVersionOf } from "../../../api/object.ts";
import type { FieldValidation } from "../../../api/decode/index.ts";
import type { KubernetesObject } from "../../../api/object.ts";
import { resourceNotServed } from "../../../api/status.ts";
import type { RequestInfo } from "../request-info.ts";
import type { ServedResource } from "../resources/resource.ts";
import type { Review } from "../reviews/index.ts";
import type { User } from "../user.ts";
import { decodeBody } from "./body.ts";
import { readBody, send } from "./exchange.ts";
import type { HttpRequest, HttpResponse } from "./exchange.ts";
import { representationOf } from "./negotiation.ts";

export async function serveReview(call: {
  readonly request: HttpRequest;
  readonly response: HttpResponse;
  readonly info: RequestInfo;
  readonly resource: ServedResource;
  readonly review: Review;
  readonly user: User;
  readonly validation: FieldValidation;
  readonly warnings: string[];
}): Promise<void> {
  const { request, response, info, user, validation, warnings } = call;
  const { definition } = call.resource;
  if (definition.isNamespaced && info.namespace === "") throw resourceNotServed();
  // Nobody lists reviews, so nobody can print them as a Table: who takes nothing else is refused.
  representationOf(request.headers.accept, info.query, { hasTable: false });
  const bytes = await readBody(request);
  const object = await decodeBody(definition, { request, bytes }, { validation, warnings });
  const named: KubernetesObject = {
    ...object,
    kind: definition.kind,
    apiVersion: apiVersionOf(definition),
    metadata: object.metadata ?? {},
  };
  const answer = call.review({ user, namespace: info.namespace, object: named });
  await send(request, response, { code: 201, body: JSON.stringify(answer), warnings });
}
