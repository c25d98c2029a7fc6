/** A SPDY/3.1 connection over any byte stream, from either end. */
import type { Duplex } from "node:stream";
import { SpdyError } from "./errors.ts";
import { encodeFrame, FrameDecoder, initialWindowSetting, streamStatus } from "./frames.ts";
import type { SpdyFrame } from "./frames.ts";
import { HeaderCompressor, HeaderDecompressor } from "./header-block.ts";
import type { SpdyHeaders } from "./header-block.ts";
import { SpdyStream } from "./stream.ts";

export interface SpdyConnectionOptions {
  readonly role: "client" | "server";
  /** A stream the peer opened. Answer with `reply`, or refuse with `stream.destroy()`. */
  readonly onStream?: (stream: SpdyStream) => void;
  /**
   * Windows per stream, as the protocol has them. Off by default: kubectl's library never sends WINDOW_UPDATE, so that
   * a sender who waits for it stops for good after 64 KiB. Without windows a slow reader slows the whole connection.
   */
  readonly hasFlowControl?: boolean;
}

const initialWindowBytes = 64 * 1024;
const longestData = 32 * 1024;
const mostStreams = 4096;

interface Waiting {
  data: Buffer;
  readonly isLast: boolean;
  readonly done: (error?: Error | null) => void;
}

interface Entry {
  readonly stream: SpdyStream;
  sendWindow: number;
  readonly waiting: Waiting[];
  isReplied: boolean;
  readonly replied: PromiseWithResolvers<void>;
}

export class SpdyConnection {
  /** Resolves when the connection is over, however it ended. */
  readonly closed: Promise<void>;
  readonly #socket: Duplex;
  readonly #options: SpdyConnectionOptions;
  readonly #decoder = new FrameDecoder();
  readonly #compressor = new HeaderCompressor();
  readonly #decompressor = new HeaderDecompressor();
  readonly #streams = new Map<number, Entry>();
  readonly #closed = Promise.withResolvers<void>();
  /** Streams whose readers are behind; the socket rests while there are any. */
  readonly #slow = new Set<number>();
  #nextId: number;
  #lastPeerId = 0;
  #peerWindowBytes = initialWindowBytes;
  #isGoingAway = false;

  /** @param head - Bytes of the connection that were read with the request before it. */
  constructor(socket: Duplex, options: SpdyConnectionOptions, head: Buffer = Buffer.alloc(0)) {
    this.#socket = socket;
    this.#options = options;
    this.#nextId = options.role === "client" ? 1 : 2;
    this.closed = this.#closed.promise;
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("error", () => socket.destroy());
    socket.on("end", () => socket.end());
    socket.on("close", () => this.#end());
    if (head.length > 0) queueMicrotask(() => this.#receive(head));
  }

  /** Opens a stream to the peer; `replied` resolves with its answer, and rejects where it refuses. */
  open(headers: SpdyHeaders): { readonly stream: SpdyStream; readonly replied: Promise<void> } {
    if (this.#isGoingAway) throw new SpdyError("Cannot open a SPDY stream: the connection is going away");
    const id = this.#nextId;
    this.#nextId += 2;
    const entry = this.#add(id, {});
    const headerBlock = this.#compressor.compress(headers);
    this.#send({ type: "syn-stream", streamId: id, isLast: false, isUnidirectional: false, priority: 0, headerBlock });
    return { stream: entry.stream, replied: entry.replied.promise };
  }

  /** Accepts a stream the peer opened. */
  reply(stream: SpdyStream, headers: SpdyHeaders = {}): void {
    const entry = this.#streams.get(stream.id);
    if (entry === undefined || entry.isReplied) return;
    entry.isReplied = true;
    this.#send({
      type: "syn-reply",
      streamId: stream.id,
      isLast: false,
      headerBlock: this.#compressor.compress(headers),
    });
  }

  ping(id: number): void {
    this.#send({ type: "ping", id });
  }

  /** Says goodbye, lets what was written go out, and ends the socket. Streams still open are cut. */
  close(): void {
    if (this.#isGoingAway) return;
    this.#isGoingAway = true;
    this.#send({ type: "goaway", lastStreamId: this.#lastPeerId, status: 0 });
    this.#socket.end();
    // A peer that never closes its half must not hold the connection.
    this.#slow.clear();
    this.#socket.resume();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    if (this.#socket.destroyed) return;
    try {
      for (const frame of this.#decoder.push(chunk)) this.#handle(frame);
    } catch (error) {
      if (!(error instanceof SpdyError)) throw error;
      this.#send({ type: "goaway", lastStreamId: this.#lastPeerId, status: 1 });
      this.#socket.destroy(error);
    }
  }

  #handle(frame: SpdyFrame): void {
    switch (frame.type) {
      case "data":
        this.#handleData(frame.streamId, frame.data, frame.isLast);
        return;
      case "syn-stream":
        this.#handleOpen(frame.streamId, this.#decompressor.decompress(frame.headerBlock), frame.isLast);
        return;
      case "syn-reply": {
        const headers = this.#decompressor.decompress(frame.headerBlock);
        const entry = this.#streams.get(frame.streamId);
        if (entry === undefined) return;
        entry.stream.headers = headers;
        entry.replied.resolve();
        if (frame.isLast) entry.stream.receive(Buffer.alloc(0), true);
        return;
      }
      case "headers":
        // Nothing here uses later headers, but skipping the block would lose the compression's state.
        this.#decompressor.decompress(frame.headerBlock);
        if (frame.isLast) this.#streams.get(frame.streamId)?.stream.receive(Buffer.alloc(0), true);
        return;
      case "rst-stream": {
        const entry = this.#streams.get(frame.streamId);
        if (entry === undefined) return;
        entry.replied.reject(new SpdyError(`Cannot open a SPDY stream: the peer reset it with status ${frame.status}`));
        entry.stream.abort();
        return;
      }
      case "settings":
        for (const { id, value } of frame.settings) if (id === initialWindowSetting) this.#resizeWindows(value);
        return;
      case "ping": {
        // Odd ids are the client's own: an answer to one's ping is not answered.
        const isOwn = frame.id % 2 === (this.#options.role === "client" ? 1 : 0);
        if (!isOwn) this.#send({ type: "ping", id: frame.id });
        return;
      }
      case "goaway":
        this.#isGoingAway = true;
        return;
      case "window-update": {
        const entry = this.#streams.get(frame.streamId);
        if (entry === undefined) return;
        entry.sendWindow += frame.delta;
        this.#flush(frame.streamId, entry);
      }
    }
  }

  #handleOpen(id: number, headers: SpdyHeaders, isLast: boolean): void {
    const isPeers = id % 2 === (this.#options.role === "client" ? 0 : 1);
    if (!isPeers || id <= this.#lastPeerId) {
      throw new SpdyError(`Cannot accept the SPDY stream ${id}: it is not the peer's next`);
    }
    this.#lastPeerId = id;
    if (this.#isGoingAway || this.#options.onStream === undefined || this.#streams.size >= mostStreams) {
      this.#send({ type: "rst-stream", streamId: id, status: streamStatus.refusedStream });
      return;
    }
    const { stream } = this.#add(id, headers);
    this.#options.onStream(stream);
    if (isLast) stream.receive(Buffer.alloc(0), true);
  }

  #handleData(id: number, data: Buffer, isLast: boolean): void {
    const entry = this.#streams.get(id);
    if (entry === undefined) {
      // Data may cross with our reset: only a stream that never was is an error.
      if (id > Math.max(this.#lastPeerId, this.#nextId - 2)) {
        this.#send({ type: "rst-stream", streamId: id, status: streamStatus.invalidStream });
      }
      return;
    }
    const isKeepingUp = entry.stream.receive(data, isLast);
    if (isKeepingUp || this.#options.hasFlowControl === true || this.#isGoingAway) return;
    this.#slow.add(id);
    this.#socket.pause();
  }

  #resizeWindows(bytes: number): void {
    const change = bytes - this.#peerWindowBytes;
    this.#peerWindowBytes = bytes;
    for (const [id, entry] of this.#streams) {
      entry.sendWindow += change;
      this.#flush(id, entry);
    }
  }

  #add(id: number, headers: SpdyHeaders): Entry {
    const stream = new SpdyStream(id, headers, {
      send: (data, isLast, done) => {
        const entry = this.#streams.get(id);
        if (entry === undefined) {
          done(new SpdyError("Cannot write to the SPDY stream: it is closed"));
          return;
        }
        entry.waiting.push({ data, isLast, done });
        this.#flush(id, entry);
      },
      consumed: (bytes, rest) => {
        if (this.#options.hasFlowControl === true) {
          this.#send({ type: "window-update", streamId: id, delta: bytes });
        } else if (rest === 0) this.#caughtUp(id);
      },
      reset: (status) => {
        if (this.#streams.has(id)) this.#send({ type: "rst-stream", streamId: id, status });
      },
      forget: () => {
        this.#streams.delete(id);
        this.#caughtUp(id);
      },
    });
    const entry: Entry = {
      stream,
      sendWindow: this.#peerWindowBytes,
      waiting: [],
      isReplied: false,
      replied: Promise.withResolvers<void>(),
    };
    entry.replied.promise.catch(() => undefined);
    // The connection tells its streams of its end; a stream's own error has its user's listeners.
    stream.on("error", () => undefined);
    this.#streams.set(id, entry);
    return entry;
  }

  #caughtUp(id: number): void {
    if (this.#slow.delete(id) && this.#slow.size === 0) this.#socket.resume();
  }

  #flush(id: number, entry: Entry): void {
    for (let next = entry.waiting[0]; next !== undefined; next = entry.waiting[0]) {
      const { data, isLast, done } = next;
      const room = this.#options.hasFlowControl === true ? Math.max(0, entry.sendWindow) : data.length;
      const length = Math.min(room, longestData, data.length);
      if (length === 0 && data.length > 0) return;
      const rest = data.subarray(length);
      entry.sendWindow -= length;
      const frame = encodeFrame({
        type: "data",
        streamId: id,
        isLast: isLast && rest.length === 0,
        data: data.subarray(0, length),
      });
      if (rest.length > 0) {
        next.data = rest;
        this.#socket.write(frame);
      } else {
        entry.waiting.shift();
        // The socket's own callback is what holds a fast writer back.
        this.#socket.write(frame, (error) => done(error));
      }
    }
  }

  #send(frame: SpdyFrame): void {
    if (!this.#socket.destroyed && !this.#socket.writableEnded) this.#socket.write(encodeFrame(frame));
  }

  #end(): void {
    this.#isGoingAway = true;
    for (const { stream, replied, waiting } of this.#streams.values()) {
      const error = new SpdyError("Cannot use the SPDY stream: its connection is closed");
      replied.reject(error);
      for (const { done } of waiting.splice(0)) done(error);
      stream.abort();
    }
    this.#streams.clear();
    this.#closed.resolve();
  }
}
