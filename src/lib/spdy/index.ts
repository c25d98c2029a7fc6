export { SpdyConnection } from "./connection.ts";
export type { SpdyConnectionOptions } from "./connection.ts";
export { SpdyError } from "./errors.ts";
export type { SpdyHeaders } from "./header-block.ts";
export type { SpdyStream } from "./stream.ts";
