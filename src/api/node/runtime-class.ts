import { dnsLabelMistakes } from "../../lib/labels/index.ts";
import { invalidValue, requiredValue } from "../field-error.ts";
import { ageColumn, ageOf, column, nameColumn, nameOf } from "../registry/columns.ts";
import { defineResource } from "../registry/define.ts";
import { immutable } from "../registry/metadata.ts";
import { resources } from "../resources.ts";

export const runtimeClasses = defineResource(resources.runtimeClasses, {
  columns: [nameColumn, column("Handler", "The runtime's configuration on the nodes."), ageColumn],
  cells: (object, now) => [nameOf(object), object.handler, ageOf(object, now)],
  validate: ({ handler }) =>
    handler
      ? dnsLabelMistakes(handler).map((text) => invalidValue("handler", handler, text))
      : [requiredValue("handler")],
  validateUpdate: ({ handler }, { old }) =>
    handler === old.handler ? [] : [invalidValue("handler", handler, immutable)],
});
