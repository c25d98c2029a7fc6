/** DNS over TCP: each message behind its length in two bytes (RFC 1035 section 4.2.2). */
import type { Socket } from "node:net";

export function frame(message: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(message.length + 2);
  bytes.writeUInt16BE(message.length, 0);
  bytes.set(message, 2);
  return bytes;
}

/** Calls `onMessage` for each whole message. What is held never exceeds one message and one chunk. */
export function readFrames(socket: Socket, onMessage: (message: Buffer) => void): void {
  let held: Buffer = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    while (held.length >= 2 && held.length >= 2 + held.readUInt16BE(0)) {
      const end = 2 + held.readUInt16BE(0);
      onMessage(held.subarray(2, end));
      held = held.subarray(end);
    }
  });
}
