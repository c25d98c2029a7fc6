/** Resources that only answer a question: nothing is stored. */
import type { ServiceAccountTokens } from "../authentication/service-account-tokens.ts";
import type { Authorizer } from "../authorization/index.ts";
import { accessReviews } from "./access.ts";
import { identityReviews } from "./identity.ts";
import type { Review } from "./review.ts";
import { rulesReview } from "./rules.ts";

export type { Review } from "./review.ts";

/** By group and plural; undefined for resources that are stored. */
export function createReviews(options: {
  readonly authorizer: Authorizer;
  readonly tokens: ServiceAccountTokens;
}): (group: string, plural: string) => Review | undefined {
  const reviews: Readonly<Record<string, Review>> = {
    ...identityReviews(options.tokens),
    ...accessReviews(options.authorizer),
    "selfsubjectrulesreviews.authorization.k8s.io": rulesReview(options.authorizer),
  };
  return (group, plural) => reviews[`${plural}.${group}`];
}
