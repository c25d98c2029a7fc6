/** Limit ranges: completes what pods ask for, and refuses what is too little or too much. */
import type { LimitRange } from "../../../api/generated/types.ts";
import { forbidden } from "../../../api/status.ts";
import { claimLimitMistakes, podLimitMistakes, withLimitDefaults } from "../../../model/limit-range/index.ts";
import type { ObjectStore } from "../../../storage/index.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./admission.ts";

export function limitRanger(store: ObjectStore): AdmissionPlugin {
  const rangesOf = (namespace: string): readonly LimitRange[] =>
    store.list("limitranges", { namespace }).items.map(({ object }) => object);
  return {
    name: "LimitRanger",
    mutate: (request, object) =>
      isNew(request, "pods") ? rangesOf(request.namespace).reduce(withLimitDefaults, object) : object,
    validate: (request) => {
      const { object, namespace, definition, name } = request;
      if (object === undefined) return;
      const check = isNew(request, "pods") ? podLimitMistakes : isClaim(request) ? claimLimitMistakes : undefined;
      if (check === undefined) return;
      const mistakes = rangesOf(namespace).flatMap((range) => check(object, range));
      if (mistakes.length === 0) return;
      const why = mistakes.length === 1 ? (mistakes[0] ?? "") : `[${mistakes.join(", ")}]`;
      throw forbidden({ group: "", name: definition.plural }, name, why);
    },
  };
}

function isNew({ definition, operation, subresource }: AdmissionRequest, plural: string): boolean {
  return operation === "CREATE" && subresource === "" && definition.group === "" && definition.plural === plural;
}

function isClaim(request: AdmissionRequest): boolean {
  return isNew({ ...request, operation: "CREATE" }, "persistentvolumeclaims") && request.operation !== "DELETE";
}
