export { decodeObject } from "./decode.ts";
export type { Decoded, DecodeSource, DecodeTarget, FieldValidation } from "./decode.ts";
export { JsonTextError, parseJsonText } from "./json-text.ts";
export { decodeValue } from "./value.ts";
