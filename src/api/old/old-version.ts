/** An old version of a kind: converted at the door, while rules and storage are those of today's version. */
import type { FieldError } from "../field-error.ts";
import type { KubernetesObject, Resource } from "../object.ts";
import type { Draft, ResourceDefinition } from "../registry/index.ts";
import { draftOf } from "../registry/index.ts";

export interface OldVersion<Old extends KubernetesObject, New extends KubernetesObject> {
  /** The old names; `isNamespaced` and plural are the new ones'. */
  readonly resource: Resource<Old>;
  /** Key of the table. */
  readonly type: string;
  readonly deprecationWarning: string;
  readonly toServed: (stored: New) => Old;
  readonly toStored: (served: Old) => New;
  /** Defaults that differ from today's; set before those. */
  readonly defaults?: (draft: Draft<Old>) => void;
  /** Today's path of a field as the old version calls it. */
  readonly fieldName?: (path: string) => string;
}

export function oldVersion<Old extends KubernetesObject, New extends KubernetesObject>(
  current: ResourceDefinition<New>,
  { resource, type, deprecationWarning, toServed, toStored, defaults, fieldName }: OldVersion<Old, New>,
): ResourceDefinition<Old> {
  const named = (errors: readonly FieldError[]): readonly FieldError[] =>
    fieldName === undefined ? errors : errors.map((error) => ({ ...error, field: fieldName(error.field) }));
  const { scaling } = current;
  return {
    ...resource,
    type,
    deprecationWarning,
    singular: current.singular,
    // Short names and "kubectl get all" mean the version of today; kubectl warns of names that mean two things.
    shortNames: [],
    categories: [],
    verbs: current.verbs,
    subresources: current.subresources,
    storage: current.storage,
    columns: current.columns,
    cells: (object, now) => current.cells(toStored(object), now),
    selectableFields: (object) => current.selectableFields(toStored(object)),
    withDefaults(object) {
      const draft = draftOf(object);
      defaults?.(draft);
      return toServed(current.withDefaults(toStored(draft as Old)));
    },
    prepareForCreate: (object) => toServed(current.prepareForCreate(toStored(object))),
    prepareForUpdate: (object, { old, subresource }) =>
      toServed(current.prepareForUpdate(toStored(object), { old: toStored(old), subresource })),
    validate: (object) => named(current.validate(toStored(object))),
    validateUpdate: (object, { old, subresource }) =>
      named(current.validateUpdate(toStored(object), { old: toStored(old), subresource })),
    ...(scaling === undefined
      ? {}
      : {
          scaling: {
            read: (object) => scaling.read(toStored(object)),
            write(draft, replicas) {
              const stored = draftOf(toStored(draft as Old));
              scaling.write(stored, replicas);
              Object.assign(draft, toServed(stored as New));
            },
          },
        }),
    conversion: {
      toServed: (stored) => toServed(stored as New),
      toStored: (served) => toStored(served),
    },
  };
}
