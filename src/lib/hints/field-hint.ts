/** Why a field is not known where it stands, and what to do about it. */
import { closestName } from "./edit-distance.ts";

/** The part of a type a hint needs: which fields lie below it. `api/schema.ts`'s `FieldType` fits. */
export type HintType =
  | { readonly kind: "scalar" }
  | { readonly kind: "object"; readonly type: string }
  | { readonly kind: "list"; readonly item: HintType }
  | { readonly kind: "map"; readonly value: HintType };

export interface FieldHintOptions {
  /** As the decoder reports it, with indices: "spec.ports[0].nme". */
  readonly path: string;
  /** The whole object as it was sent. */
  readonly value: unknown;
  /** The type of the whole object. */
  readonly typeName: string;
  readonly fieldsOf: (typeName: string) => ReadonlyMap<string, { readonly type: HintType }>;
}

/**
 * One sentence without a full stop, for behind `unknown field "spec.port"`; undefined where nothing sensible can be said.
 * In this order: indentation that got lost (the field belongs into its neighbour), a slip of the pen, indentation that is
 * too deep (the field belongs to a level above).
 */
export function suggestField(options: FieldHintOptions): string | undefined {
  const steps = [...options.path.matchAll(/[^.[\]]+/g)].map(([step]) => step);
  const field = steps.pop();
  if (field === undefined) return undefined;
  const levels = walk(options, steps);
  const here = levels.at(-1);
  if (here === undefined) return undefined;
  return (
    lostIndentation(here, { field, options }) ?? misspelt(here, field) ?? tooDeep(levels.slice(0, -1), { field, here })
  );
}

interface Level {
  readonly path: string;
  readonly fields: ReadonlyMap<string, { readonly type: HintType }>;
  readonly value: Readonly<Record<string, unknown>>;
}

/** The objects from the root to the field's parent; empty where the way leads through anything but objects and lists. */
function walk({ value, typeName, fieldsOf }: FieldHintOptions, steps: readonly string[]): readonly Level[] {
  let path = "";
  let type: HintType | undefined = { kind: "object", type: typeName };
  let current = value;
  const levels: Level[] = [];
  const enter = (): void => {
    if (type?.kind === "object") levels.push({ path, fields: fieldsOf(type.type), value: recordOf(current) });
  };
  enter();
  for (const step of steps) {
    current = Array.isArray(current) ? (current[Number(step)] as unknown) : recordOf(current)[step];
    if (type?.kind === "list") {
      path += `[${step}]`;
      type = type.item;
    } else {
      path += path === "" ? step : `.${step}`;
      type = type?.kind === "object" ? levels.at(-1)?.fields.get(step)?.type : undefined;
    }
    enter();
  }
  return type?.kind === "object" ? levels : [];
}

interface Unknown {
  readonly field: string;
  readonly options: FieldHintOptions;
}

function lostIndentation(here: Level, { field, options }: Unknown): string | undefined {
  for (const [neighbour, { type }] of here.fields) {
    const sent = here.value[neighbour];
    if (!Object.hasOwn(here.value, neighbour)) continue;
    const place = here.path === "" ? neighbour : `${here.path}.${neighbour}`;
    // `selector:` with nothing in it, and beside it what should be in it.
    if (type.kind === "map" && sent === null && typeof here.value[field] === "string")
      return `"${place}" is empty: indent "${field}" further if it belongs to it`;
    const inner = type.kind === "list" ? type.item : type;
    if (inner.kind !== "object" || !options.fieldsOf(inner.type).has(field)) continue;
    const isEmpty = sent === null || (Array.isArray(sent) && sent.every((item) => item === null));
    const isMissingThere = type.kind === "list" ? !lastHas(sent, field) : !Object.hasOwn(recordOf(sent), field);
    if (isEmpty || isMissingThere)
      return `it is a field of ${type.kind === "list" ? `the entries of "${place}"` : `"${place}"`}: indent it further`;
  }
  return undefined;
}

function lastHas(list: unknown, field: string): boolean {
  return Array.isArray(list) && Object.hasOwn(recordOf(list.at(-1)), field);
}

function misspelt(here: Level, field: string): string | undefined {
  const known = [...here.fields.keys()].filter((name) => !Object.hasOwn(here.value, name));
  const meant = closestName(field, known);
  return meant === undefined ? undefined : `did you mean "${meant}"?`;
}

function tooDeep(
  above: readonly Level[],
  { field, here }: { readonly field: string; readonly here: Level },
): string | undefined {
  const owner = above.findLast((level) => level.fields.has(field) && !Object.hasOwn(level.value, field));
  if (owner === undefined) return undefined;
  const place = owner.path === "" ? "the object itself" : `"${owner.path}"`;
  return `it is a field of ${place}, not of "${here.path}": indent it less`;
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : {};
}
