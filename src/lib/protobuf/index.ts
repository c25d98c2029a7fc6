export { ProtobufError, readFields } from "./reader.ts";
export type { ProtobufField } from "./reader.ts";
export { ProtobufWriter } from "./writer.ts";
