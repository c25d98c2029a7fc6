import type { PatchField, PatchSchema } from "../../lib/patch/index.ts";
import { listRules } from "../list-rules.ts";
import { fieldsOf } from "../schema.ts";
import type { FieldType } from "../schema.ts";

function itemType(type: FieldType): string | undefined {
  if (type.kind === "list") return itemType(type.item);
  return type.kind === "object" ? type.type : undefined;
}

function patchFieldOf(typeName: string, field: string): PatchField | undefined {
  const type = fieldsOf(typeName).get(field)?.type;
  if (type === undefined) return undefined;
  if (type.kind === "map") return mapField(type.value);
  const rule = listRules[typeName]?.[field];
  const schemaType = itemType(type);
  return {
    isMerged: rule?.strategies?.includes("merge") ?? false,
    isReplaced: rule?.strategies?.includes("replace") ?? false,
    ...(rule?.mergeKey === undefined ? {} : { mergeKey: rule.mergeKey }),
    ...(schemaType === undefined ? {} : { schema: patchSchemaOf(schemaType) }),
  };
}

/** Every key of a map holds the same type. */
function mapField(value: FieldType): PatchField {
  const schemaType = itemType(value);
  const inner: PatchField = {
    isMerged: false,
    isReplaced: false,
    ...(schemaType === undefined ? {} : { schema: patchSchemaOf(schemaType) }),
  };
  return { isMerged: false, isReplaced: false, schema: { fieldOf: () => inner } };
}

/** How a strategic merge patch treats each field of a type. */
export function patchSchemaOf(typeName: string): PatchSchema {
  return { fieldOf: (field) => patchFieldOf(typeName, field) };
}
