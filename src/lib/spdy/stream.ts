/** One stream of a SPDY connection as Node knows streams: `end()` closes our half, `destroy()` resets it. */
import { Duplex } from "node:stream";
import type { SpdyHeaders } from "./header-block.ts";

/** What a stream asks of its connection. */
export interface StreamPort {
  /** Sends data; calls back when more may be written. */
  send(data: Buffer, isLast: boolean, done: (error?: Error | null) => void): void;
  /** The reader took `bytes`; `rest` are waiting still. */
  consumed(bytes: number, rest: number): void;
  reset(status: number): void;
  /** Both halves are over, or it was reset. */
  forget(): void;
}

const cancelStatus = 5;

export class SpdyStream extends Duplex {
  readonly id: number;
  /** Those the peer opened it with, or answered. */
  headers: SpdyHeaders;
  readonly #port: StreamPort;
  #isEndSent = false;
  #isEndReceived = false;
  /** What came and the reader has not asked for; null: the end. */
  readonly #queue: (Buffer | null)[] = [];
  #queuedBytes = 0;
  #isWanted = false;

  constructor(id: number, headers: SpdyHeaders, port: StreamPort) {
    super({ allowHalfOpen: true, readableHighWaterMark: 64 * 1024, writableHighWaterMark: 64 * 1024 });
    this.id = id;
    this.headers = headers;
    this.#port = port;
  }

  /** The first value of a header; undefined where it is absent. */
  header(name: string): string | undefined {
    return this.headers[name]?.[0];
  }

  /** @returns Whether the reader keeps up. */
  receive(data: Buffer, isLast: boolean): boolean {
    if (this.destroyed || this.#isEndReceived) return true;
    if (data.length > 0) this.#queue.push(data);
    this.#queuedBytes += data.length;
    if (isLast) {
      this.#isEndReceived = true;
      this.#queue.push(null);
      this.#forgetWhenOver();
    }
    this.#pump();
    return this.#queuedBytes === 0;
  }

  /** The peer reset it, or the connection is over. */
  abort(error?: Error): void {
    this.#isEndSent = true;
    this.#isEndReceived = true;
    if (error === undefined) {
      if (!this.readableEnded) this.push(null);
      this.destroy();
    } else this.destroy(error);
  }

  override _read(): void {
    this.#isWanted = true;
    this.#pump();
  }

  /** Bytes count as taken when they enter the reader's own buffer, which asks for more as long as it has room. */
  #pump(): void {
    let taken = 0;
    while (this.#isWanted) {
      const next = this.#queue.shift();
      if (next === undefined) break;
      taken += next?.length ?? 0;
      this.#isWanted = this.push(next);
    }
    this.#queuedBytes -= taken;
    if (taken > 0) this.#port.consumed(taken, this.#queuedBytes);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#port.send(chunk, false, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#port.send(Buffer.alloc(0), true, (error) => {
      this.#isEndSent = true;
      this.#forgetWhenOver();
      done(error);
    });
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.#isEndSent || !this.#isEndReceived) this.#port.reset(cancelStatus);
    this.#port.forget();
    done(error);
  }

  #forgetWhenOver(): void {
    if (this.#isEndSent && this.#isEndReceived) this.#port.forget();
  }
}
