/** DNS messages between bytes and data. */
export type { DnsMessage, RecordData, ResourceRecord } from "./message.ts";
export { opcodes, rcodeName, rcodes, recordClasses, recordTypes, typeCodeOf, typeName } from "./message.ts";
export { decodeMessage } from "./decode.ts";
export { encodeMessage, maxMessageBytes, plainUdpBytes } from "./encode.ts";
export { queryMessage } from "./query.ts";
export { frame, frameReader } from "./tcp-frames.ts";
export { canonicalName, isInZone } from "./name.ts";
