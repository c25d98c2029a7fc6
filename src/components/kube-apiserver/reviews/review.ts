/** A question that is asked by creating an object. */
import type { KubernetesObject } from "../../../api/object.ts";
import type { User } from "../user.ts";

export interface ReviewRequest {
  readonly user: User;
  /** From the URL; "" for those without one. */
  readonly namespace: string;
  readonly object: KubernetesObject;
}

/** Gives the object with its status. Throws `ApiError`. */
export type Review = (request: ReviewRequest) => KubernetesObject;
