/** Which objects of a resource a request means. */
import { FieldSelectorError, matchesFields, parseFieldSelector } from "../../../lib/fields/index.ts";
import { LabelSelectorError, matchesLabels, parseLabelSelector } from "../../../lib/labels/index.ts";
import { badRequest } from "../../../api/status.ts";
import type { ApiError } from "../../../api/status.ts";
import type { Stored } from "../../../storage/index.ts";
import { servedObject } from "./resource.ts";
import type { ServedResource } from "./resource.ts";

export interface SelectionOptions {
  /** "" or absent: all namespaces. */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface Selection {
  readonly namespace: string | undefined;
  /** Selects everything in its namespace. */
  readonly isOpen: boolean;
  /** The one name a field selector asks for. */
  readonly name: string | undefined;
  readonly matches: (stored: Stored) => boolean;
}

/** Throws `ApiError` 400 for a selector that cannot be read. */
export function selectionOf(resource: ServedResource, options: SelectionOptions): Selection {
  const { definition } = resource;
  const namespace = options.namespace === "" || !definition.isNamespaced ? undefined : options.namespace;
  const labels = reading(() => parseLabelSelector(options.labelSelector ?? ""));
  const fields = reading(() => parseFieldSelector(options.fieldSelector ?? ""));
  if (fields.length > 0) {
    const known = definition.selectableFields({ metadata: {} });
    const unknown = fields.find(({ field }) => !Object.hasOwn(known, field));
    if (unknown !== undefined) throw unknownField(unknown.field, Object.keys(known));
  }
  const byName = fields.find(({ field, isNegated }) => field === "metadata.name" && !isNegated);
  // The commonest field selectors need no look inside the object.
  const inside = fields.filter(({ field }) => field !== "metadata.name" && field !== "metadata.namespace");
  const outside = fields.filter((requirement) => !inside.includes(requirement));
  return {
    namespace,
    isOpen: labels.length === 0 && fields.length === 0,
    name: byName?.value,
    matches: (stored) => {
      const { key } = stored;
      if (namespace !== undefined && key.namespace !== namespace) return false;
      for (const { field, value, isNegated } of outside) {
        const found = field === "metadata.name" ? key.name : key.namespace;
        if ((found === value) === isNegated) return false;
      }
      if (labels.length > 0 && !matchesLabels(labels, stored.object.metadata?.labels)) return false;
      return inside.length === 0 || matchesFields(inside, definition.selectableFields(servedObject(resource, stored)));
    },
  };
}

/** Kinds that add no fields of their own say so in other words. */
function unknownField(field: string, known: readonly string[]): ApiError {
  if (known.every((one) => one === "metadata.name" || one === "metadata.namespace")) {
    return badRequest(`"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`);
  }
  return badRequest(`field label not supported: ${field}`);
}

function reading<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof LabelSelectorError || error instanceof FieldSelectorError) throw badRequest(error.message);
    throw error;
  }
}
