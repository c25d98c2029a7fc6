export { containerEnvironment, referencedObjects } from "./environment.ts";
export { EnvironmentError } from "./errors.ts";
export { expandVariables } from "./expand.ts";
export { fieldText, resourceText } from "./fields.ts";
export type { FieldContext } from "./fields.ts";
