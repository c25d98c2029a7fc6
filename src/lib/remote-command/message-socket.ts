/** The part of a WebSocket these protocols use; `WebSocket` of the package ws has this shape with binary messages as Buffers. */
import { Duplex } from "node:stream";

export interface MessageSocket {
  readonly bufferedAmount: number;
  send(data: Buffer, done: (error?: Error) => void): void;
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
