/** May somebody do something, and what may I do? */
import { defineResource } from "../registry/define.ts";
import { reviews } from "../resources.ts";

export const localSubjectAccessReviews = defineResource(reviews.localSubjectAccessReviews, { verbs: ["create"] });

export const selfSubjectAccessReviews = defineResource(reviews.selfSubjectAccessReviews, { verbs: ["create"] });

export const selfSubjectRulesReviews = defineResource(reviews.selfSubjectRulesReviews, { verbs: ["create"] });

export const subjectAccessReviews = defineResource(reviews.subjectAccessReviews, { verbs: ["create"] });
