/** May this user do this? Asked for every request, by the API server and through it by others. */
import type { PolicyRule } from "../../../api/generated/types.ts";
import { quoted } from "../../../api/go-text.ts";
import { forbidden } from "../../../api/status.ts";
import type { ApiError } from "../../../api/status.ts";
import type { User } from "../user.ts";

/** What is to be done, in the words of RBAC. */
export interface Attributes {
  readonly verb: string;
  /** Set for resources. */
  readonly resource?: {
    readonly group: string;
    readonly resource: string;
    readonly subresource: string;
    readonly namespace: string;
    readonly name: string;
    /** Of a list or watch: what it is restricted to, as the client wrote it. */
    readonly fieldSelector?: string;
  };
  /** Set for everything else: "/healthz". */
  readonly path?: string;
}

/** `reason` says by what it is allowed, or why not; often there is nothing to say. */
export interface Decision {
  readonly isAllowed: boolean;
  readonly reason: string;
}

/** What one authorizer knows of a user's rights in a namespace. */
export interface KnownRules {
  readonly rules: readonly PolicyRule[];
  /** Why these may not be all. */
  readonly incomplete?: string;
}

export interface Authorizer {
  decide(user: User, attributes: Attributes): Decision;
  /** Rules of the whole cluster and of the namespace ("" for none). */
  rulesFor(user: User, namespace: string): KnownRules;
}

export const noOpinion: Decision = { isAllowed: false, reason: "" };

/** Any one of them may allow; the reasons of all that did not are told together. */
export function anyOf(authorizers: readonly Authorizer[]): Authorizer {
  return {
    decide: (user, attributes) => {
      let reason = "";
      for (const authorizer of authorizers) {
        const decision = authorizer.decide(user, attributes);
        if (decision.isAllowed) return decision;
        if (decision.reason !== "") reason = reason === "" ? decision.reason : `${reason}\n${decision.reason}`;
      }
      return reason === "" ? noOpinion : { isAllowed: false, reason };
    },
    rulesFor: (user, namespace) => {
      const known = authorizers.map((authorizer) => authorizer.rulesFor(user, namespace));
      const gaps = known.flatMap(({ incomplete }) => (incomplete === undefined ? [] : [incomplete]));
      const rules = known.flatMap((part) => part.rules);
      return gaps.length === 0 ? { rules } : { rules, incomplete: gaps.join(", ") };
    },
  };
}

/** Who lists or watches one object by its name asks for that object; "" for more than one. */
export function selectedName(verb: string, fieldSelector = ""): string {
  if (verb !== "list" && verb !== "watch") return "";
  const exact = fieldSelector.split(",").map((term) => /^metadata\.name==?([^=]+)$/.exec(term)?.[1]);
  const name = exact.find((one) => one !== undefined) ?? "";
  return name === "." || name === ".." || /[/%]/.test(name) ? "" : name;
}

/** Throws upstream's `ApiError` 403 where the user may not. */
export function authorize(authorizer: Authorizer, user: User, attributes: Attributes): void {
  const { isAllowed, reason } = authorizer.decide(user, attributes);
  if (!isAllowed) throw forbiddenError(user, attributes, reason);
}

/** Upstream's refusal, word for word. */
function forbiddenError(user: User, attributes: Attributes, reason = ""): ApiError {
  const { verb, resource } = attributes;
  const who = `User ${quoted(user.name)}`;
  const because = reason === "" ? "" : `: ${reason}`;
  if (resource === undefined) {
    const what = `${who} cannot ${verb} path ${quoted(attributes.path ?? "")}${because}`;
    return forbidden({ group: "", name: "" }, "", what);
  }
  const { group, namespace, name } = resource;
  const what = resource.subresource === "" ? resource.resource : `${resource.resource}/${resource.subresource}`;
  const where = namespace === "" ? "at the cluster scope" : `in the namespace ${quoted(namespace)}`;
  const why = `${who} cannot ${verb} resource ${quoted(what)} in API group ${quoted(group)} ${where}`;
  return forbidden({ group, name: resource.resource }, name, `${why}${because}`);
}
