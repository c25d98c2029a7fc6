/** Who somebody is: the one who asks, or the holder of a token. */
import type { TokenReview, UserInfo } from "../../../api/generated/types.ts";
import { badRequest } from "../../../api/status.ts";
import type { ServiceAccountTokens } from "../authentication/service-account-tokens.ts";
import { authenticated } from "../user.ts";
import type { User } from "../user.ts";
import type { Review } from "./review.ts";

export function identityReviews(tokens: ServiceAccountTokens): Readonly<Record<string, Review>> {
  return {
    "selfsubjectreviews.authentication.k8s.io": ({ user, object }) =>
      Object.assign({}, object, { status: { userInfo: userInfoOf(user) } }),
    "tokenreviews.authentication.k8s.io": ({ object }) => {
      const review = object as TokenReview;
      const { token, audiences = [] } = review.spec;
      if (token === "") throw badRequest("token is required for TokenReview in authentication");
      const answer = tokens.review(token, audiences);
      const status =
        "problem" in answer
          ? { user: {}, error: `[invalid bearer token, ${answer.problem}]` }
          : { authenticated: true, user: userInfoOf(authenticated(answer.user)), audiences: answer.audiences };
      return Object.assign({}, review, { status });
    },
  };
}

function userInfoOf({ name, uid, groups, extra }: User): UserInfo {
  return {
    username: name,
    ...(uid === undefined || uid === "" ? {} : { uid }),
    ...(groups.length === 0 ? {} : { groups }),
    ...(extra === undefined || Object.keys(extra).length === 0 ? {} : { extra }),
  };
}
