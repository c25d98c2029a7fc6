/** The part of a WebSocket these protocols use; `WebSocket` of the package ws has this shape with binary messages as Buffers. */
import { Duplex } from "node:stream";

export interface MessageSocket {
  readonly bufferedAmount: number;
  /** A string goes as a text message. */
  send(data: Buffer | string, done: (error?: Error) => void): void;
  close(code?: number, reason?: string): void;
  terminate(): void;
  pause(): void;
  resume(): void;
  on(event: "message", listener: (data: Buffer, isBinary: boolean) => void): unknown;
  on(event: "close" | "error", listener: (problem?: unknown) => void): unknown;
}

/** The bytes of all messages as one stream, and back: SPDY in a WebSocket. Needs `binaryType` "nodebuffer". */
export function messageSocketStream(socket: MessageSocket): Duplex {
  const stream = new Duplex({
    read: () => socket.resume(),
    write: (chunk: Buffer, _encoding, done) => socket.send(chunk, (error) => done(error ?? null)),
    final: (done) => {
      socket.close(1000);
      done();
    },
    destroy: (error, done) => {
      socket.terminate();
      done(error);
    },
  });
  socket.on("message", (data) => {
    if (!stream.push(data)) socket.pause();
  });
  socket.on("close", () => {
    stream.push(null);
    stream.destroy();
  });
  socket.on("error", () => stream.destroy());
  return stream;
}

/** Messages of a base64 protocol as those of its binary twin: the channel's number, then the data. */
export function base64Socket(socket: MessageSocket): MessageSocket {
  return {
    get bufferedAmount() {
      return socket.bufferedAmount;
    },
    send: (data, done) => {
      const [channel = 0] = Buffer.from(data);
      socket.send(`${String.fromCharCode(zero + channel)}${Buffer.from(data).subarray(1).toString("base64")}`, done);
    },
    close: (code, reason) => socket.close(code, reason),
    terminate: () => socket.terminate(),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    on: (event: "message" | "close" | "error", listener: (data: Buffer, isBinary: boolean) => void) => {
      if (event !== "message") return socket.on(event, listener as () => void);
      return socket.on("message", (data) => {
        const channel = Math.max((data[0] ?? zero) - zero, 0);
        listener(Buffer.concat([Buffer.from([channel]), Buffer.from(data.toString("latin1", 1), "base64")]), true);
      });
    },
  };
}

const zero = 0x30;
