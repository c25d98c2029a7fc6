export { decodeObject, decodeParsed, duplicateField, notRegistered, UndecodableError, unrecognized } from "./decode.ts";
export type { Decoded, DecodeSource, DecodeTarget, FieldValidation, Parsed } from "./decode.ts";
export { JsonTextError, parseJsonText } from "./json-text.ts";
export type { JsonText } from "./json-text.ts";
export { decodeValue } from "./value.ts";
