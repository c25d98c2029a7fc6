/** Who am I, and whose token is this? */
import { defineResource } from "../registry/define.ts";
import { reviews } from "../resources.ts";

export const selfSubjectReviews = defineResource(reviews.selfSubjectReviews, { verbs: ["create"] });

export const tokenReviews = defineResource(reviews.tokenReviews, { verbs: ["create"] });
