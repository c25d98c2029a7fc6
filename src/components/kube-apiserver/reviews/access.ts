/** May somebody do something? The answer is the authorizer's, and nothing is done. */
import { invalidValue, requiredValue } from "../../../api/field-error.ts";
import type { FieldError } from "../../../api/field-error.ts";
import type {
  LocalSubjectAccessReview,
  SelfSubjectAccessReview,
  SubjectAccessReview,
  SubjectAccessReviewSpec,
  SubjectAccessReviewStatus,
} from "../../../api/generated/types.ts";
import { badRequest, invalid } from "../../../api/status.ts";
import type { Attributes, Authorizer } from "../authorization/index.ts";
import type { User } from "../user.ts";
import type { Review } from "./review.ts";

const group = "authorization.k8s.io";

type Target = Pick<SubjectAccessReviewSpec, "resourceAttributes" | "nonResourceAttributes">;

export function accessReviews(authorizer: Authorizer): Readonly<Record<string, Review>> {
  const statusFor = (user: User, target: Target): SubjectAccessReviewStatus => {
    const { isAllowed, reason } = authorizer.decide(user, attributesOf(target));
    return { allowed: isAllowed, ...(reason === "" ? {} : { reason }) };
  };
  return {
    [`subjectaccessreviews.${group}`]: ({ object }) => {
      const review = object as SubjectAccessReview;
      refuseIf("SubjectAccessReview", [...targetMistakes(review.spec), ...subjectMistakes(review.spec)]);
      return Object.assign({}, review, { status: statusFor(userOf(review.spec), review.spec) });
    },
    [`selfsubjectaccessreviews.${group}`]: ({ object, user }) => {
      const review = object as SelfSubjectAccessReview;
      refuseIf("SelfSubjectAccessReview", targetMistakes(review.spec));
      return Object.assign({}, review, { status: statusFor(user, review.spec) });
    },
    [`localsubjectaccessreviews.${group}`]: ({ object, namespace }) => {
      const review = object as LocalSubjectAccessReview;
      const asked = review.spec.resourceAttributes?.namespace ?? "";
      const mistakes = [...targetMistakes(review.spec), ...subjectMistakes(review.spec)];
      if (review.spec.nonResourceAttributes !== undefined) {
        mistakes.push({
          type: "FieldValueForbidden",
          field: "spec.nonResourceAttributes",
          body: "Forbidden: disallowed on this kind of request",
        });
      }
      refuseIf("LocalSubjectAccessReview", mistakes);
      if (asked !== namespace) {
        throw badRequest(`spec.resourceAttributes.namespace must match namespace: ${namespace}`);
      }
      return Object.assign({}, review, { status: statusFor(userOf(review.spec), review.spec) });
    },
  };
}

function userOf({ user = "", groups = [], uid, extra }: SubjectAccessReviewSpec): User {
  return { name: user, groups, ...(uid === undefined ? {} : { uid }), ...(extra === undefined ? {} : { extra }) };
}

function attributesOf({ resourceAttributes, nonResourceAttributes }: Target): Attributes {
  if (resourceAttributes === undefined) {
    return { verb: nonResourceAttributes?.verb ?? "", path: nonResourceAttributes?.path ?? "" };
  }
  const { verb = "", resource = "", subresource = "", namespace = "", name = "" } = resourceAttributes;
  const fieldSelector = selectorText(resourceAttributes);
  return {
    verb,
    resource: {
      group: resourceAttributes.group ?? "",
      resource,
      subresource,
      namespace,
      name,
      ...(fieldSelector === "" ? {} : { fieldSelector }),
    },
  };
}

/** Requirements that say "equals"; the others restrict nothing that an authorizer here asks for. */
function selectorText({ fieldSelector }: NonNullable<Target["resourceAttributes"]>): string {
  if (fieldSelector?.requirements === undefined) return fieldSelector?.rawSelector ?? "";
  return fieldSelector.requirements
    .filter(({ operator, values = [] }) => operator === "In" && values.length === 1)
    .map(({ key, values = [] }) => `${key}=${values[0]}`)
    .join(",");
}

function targetMistakes({ resourceAttributes, nonResourceAttributes }: Target): FieldError[] {
  const either = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
  if (resourceAttributes !== undefined && nonResourceAttributes !== undefined) {
    return [
      invalidValue(
        "spec.nonResourceAttributes",
        nonResourceAttributes,
        `cannot be specified in combination with resourceAttributes`,
      ),
    ];
  }
  return resourceAttributes === undefined && nonResourceAttributes === undefined
    ? [invalidValue("spec.resourceAttributes", nonResourceAttributes ?? null, either)]
    : [];
}

function subjectMistakes({ user = "", groups = [] }: SubjectAccessReviewSpec): FieldError[] {
  return user === "" && groups.length === 0
    ? [requiredValue("spec.user", "at least one of user or group must be specified")]
    : [];
}

function refuseIf(kind: string, mistakes: readonly FieldError[]): void {
  if (mistakes.length > 0) throw invalid({ group, name: kind }, "", mistakes);
}
