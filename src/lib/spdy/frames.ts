/** The frames of SPDY/3.1 (draft-mbelshe-httpbis-spdy-00, section 2) to bytes and back. Header blocks stay compressed. */
import { SpdyError } from "./errors.ts";

export type SpdyFrame =
  | { readonly type: "data"; readonly streamId: number; readonly isLast: boolean; readonly data: Buffer }
  | {
      readonly type: "syn-stream";
      readonly streamId: number;
      readonly isLast: boolean;
      readonly isUnidirectional: boolean;
      /** 0 (highest) to 7. */
      readonly priority: number;
      readonly headerBlock: Buffer;
    }
  | { readonly type: "syn-reply"; readonly streamId: number; readonly isLast: boolean; readonly headerBlock: Buffer }
  | { readonly type: "headers"; readonly streamId: number; readonly isLast: boolean; readonly headerBlock: Buffer }
  | { readonly type: "rst-stream"; readonly streamId: number; readonly status: number }
  | {
      readonly type: "settings";
      readonly settings: readonly { readonly id: number; readonly flags: number; readonly value: number }[];
    }
  | { readonly type: "ping"; readonly id: number }
  | { readonly type: "goaway"; readonly lastStreamId: number; readonly status: number }
  | { readonly type: "window-update"; readonly streamId: number; readonly delta: number };

const version = 3;
const headBytes = 8;
const flagLast = 1;
const flagUnidirectional = 2;
const types = {
  "syn-stream": 1,
  "syn-reply": 2,
  "rst-stream": 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  headers: 8,
  "window-update": 9,
} as const;

/** Status codes of RST_STREAM. */
export const streamStatus = {
  protocolError: 1,
  invalidStream: 2,
  refusedStream: 3,
  cancel: 5,
  flowControlError: 7,
} as const;

/** The identifier of the setting that gives the window new streams begin with. */
export const initialWindowSetting = 7;

export function encodeFrame(frame: SpdyFrame): Buffer {
  switch (frame.type) {
    case "data": {
      const head = Buffer.alloc(headBytes);
      head.writeUInt32BE(frame.streamId & 0x7fff_ffff, 0);
      head.writeUInt32BE(frame.data.length, 4);
      head[4] = frame.isLast ? flagLast : 0;
      return Buffer.concat([head, frame.data]);
    }
    case "syn-stream": {
      const flags = (frame.isLast ? flagLast : 0) | (frame.isUnidirectional ? flagUnidirectional : 0);
      const priority = Buffer.from([(frame.priority & 7) << 5, 0]);
      return control(types[frame.type], flags, Buffer.concat([words(frame.streamId, 0), priority, frame.headerBlock]));
    }
    case "syn-reply":
    case "headers": {
      const body = Buffer.concat([words(frame.streamId), frame.headerBlock]);
      return control(types[frame.type], frame.isLast ? flagLast : 0, body);
    }
    case "rst-stream":
      return control(types[frame.type], 0, words(frame.streamId, frame.status));
    case "settings": {
      const entries = frame.settings.map(({ id, flags, value }) => words(((flags << 24) | id) >>> 0, value));
      return control(types[frame.type], 0, Buffer.concat([words(entries.length), ...entries]));
    }
    case "ping":
      return control(types[frame.type], 0, words(frame.id));
    case "goaway":
      return control(types[frame.type], 0, words(frame.lastStreamId, frame.status));
    case "window-update":
      return control(types[frame.type], 0, words(frame.streamId, frame.delta));
  }
}

function control(type: number, flags: number, body: Buffer): Buffer {
  const head = Buffer.alloc(headBytes);
  head.writeUInt16BE(0x8000 | version, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt32BE(body.length, 4);
  head[4] = flags;
  return Buffer.concat([head, body]);
}

function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => bytes.writeUInt32BE(value, index * 4));
  return bytes;
}

/** Cuts a byte stream into frames. Frames of unknown types are passed over, as the protocol asks. */
export class FrameDecoder {
  #rest: Buffer = Buffer.alloc(0);

  /** The frames `chunk` completes. Throws `SpdyError` where the bytes are no SPDY/3.1; the decoder is then spent. */
  push(chunk: Buffer): readonly SpdyFrame[] {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const frames: SpdyFrame[] = [];
    while (this.#rest.length >= headBytes) {
      const length = this.#rest.readUInt32BE(4) & 0x00ff_ffff;
      if (this.#rest.length < headBytes + length) break;
      const frame = decodeFrame(this.#rest.subarray(0, headBytes), this.#rest.subarray(headBytes, headBytes + length));
      if (frame !== undefined) frames.push(frame);
      this.#rest = this.#rest.subarray(headBytes + length);
    }
    return frames;
  }
}

function decodeFrame(head: Buffer, body: Buffer): SpdyFrame | undefined {
  const first = head.readUInt32BE(0);
  const flags = head[4] ?? 0;
  const isLast = (flags & flagLast) !== 0;
  if (first < 0x8000_0000) return { type: "data", streamId: first, isLast, data: body };
  if (((first >>> 16) & 0x7fff) !== version) {
    throw new SpdyError(`Cannot read a SPDY frame of version ${(first >>> 16) & 0x7fff}: only ${version} is spoken`);
  }
  const at = (offset: number): number => {
    if (body.length < offset + 4)
      throw new SpdyError(`Cannot read a SPDY frame of type ${first & 0xffff}: it is too short`);
    return body.readUInt32BE(offset);
  };
  const streamId = (offset = 0): number => at(offset) & 0x7fff_ffff;
  switch (first & 0xffff) {
    case types["syn-stream"]: {
      if (body.length < 10) throw new SpdyError("Cannot read a SPDY SYN_STREAM frame: it is too short");
      const isUnidirectional = (flags & flagUnidirectional) !== 0;
      const priority = (body[8] ?? 0) >> 5;
      return {
        type: "syn-stream",
        streamId: streamId(),
        isLast,
        isUnidirectional,
        priority,
        headerBlock: body.subarray(10),
      };
    }
    case types["syn-reply"]:
      return { type: "syn-reply", streamId: streamId(), isLast, headerBlock: body.subarray(4) };
    case types.headers:
      return { type: "headers", streamId: streamId(), isLast, headerBlock: body.subarray(4) };
    case types["rst-stream"]:
      return { type: "rst-stream", streamId: streamId(), status: at(4) };
    case types.settings:
      return { type: "settings", settings: decodeSettings(body, at) };
    case types.ping:
      return { type: "ping", id: at(0) };
    case types.goaway:
      return { type: "goaway", lastStreamId: streamId(), status: at(4) };
    case types["window-update"]:
      return { type: "window-update", streamId: streamId(), delta: at(4) & 0x7fff_ffff };
    default:
      return undefined;
  }
}

function decodeSettings(
  body: Buffer,
  at: (offset: number) => number,
): readonly { readonly id: number; readonly flags: number; readonly value: number }[] {
  const count = at(0);
  if (body.length < 4 + count * 8) throw new SpdyError("Cannot read a SPDY SETTINGS frame: it is too short");
  return Array.from({ length: count }, (_, index) => {
    const key = at(4 + index * 8);
    return { id: key & 0x00ff_ffff, flags: key >>> 24, value: at(8 + index * 8) };
  });
}
