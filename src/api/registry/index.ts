export type {
  Cell,
  Column,
  Draft,
  ResourceDefinition,
  Scaling,
  StoragePlace,
  Subresource,
  UpdateContext,
  Verb,
} from "./definition.ts";
export { draftOf } from "./draft.ts";
export { createRegistry } from "./registry.ts";
export type { Registry } from "./registry.ts";
export { scaleOf, validateScale, withScale } from "./scale.ts";
