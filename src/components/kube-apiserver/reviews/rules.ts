/** What may I do in a namespace? As far as rules tell. */
import type { NonResourceRule, ResourceRule, SelfSubjectRulesReview } from "../../../api/generated/types.ts";
import { badRequest } from "../../../api/status.ts";
import type { Authorizer } from "../authorization/index.ts";
import type { Review } from "./review.ts";

export function rulesReview(authorizer: Authorizer): Review {
  return ({ user, object }) => {
    const review = object as SelfSubjectRulesReview;
    const namespace = review.spec.namespace ?? "";
    if (namespace === "") throw badRequest("no namespace on request");
    const { rules, incomplete } = authorizer.rulesFor(user, namespace);
    const resourceRules = rules
      .filter(({ resources = [] }) => resources.length > 0)
      .map(({ verbs, apiGroups, resources, resourceNames }): ResourceRule => ({
        verbs,
        apiGroups: apiGroups ?? [],
        resources: resources ?? [],
        ...(resourceNames === undefined ? {} : { resourceNames }),
      }));
    const nonResourceRules = rules
      .filter(({ nonResourceURLs = [] }) => nonResourceURLs.length > 0)
      .map(({ verbs, nonResourceURLs }): NonResourceRule => ({ verbs, nonResourceURLs: nonResourceURLs ?? [] }));
    const status = {
      resourceRules,
      nonResourceRules,
      incomplete: incomplete !== undefined,
      ...(incomplete === undefined ? {} : { evaluationError: incomplete }),
    };
    return Object.assign({}, review, { status });
  };
}
