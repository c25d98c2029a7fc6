/** DNS over TCP: each message behind its length in two bytes (RFC 1035 section 4.2.2). */

/** The message, of at most 65,535 bytes, as it goes over TCP. */
export function frame(message: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(message.length + 2);
  bytes.writeUInt16BE(message.length, 0);
  bytes.set(message, 2);
  return bytes;
}

/**
 * Takes the chunks of a connection as they come, and calls `onMessage` for each whole message. What is held never
 * exceeds one message and one chunk.
 */
export function frameReader(onMessage: (message: Buffer) => void): (chunk: Buffer) => void {
  let held: Buffer = Buffer.alloc(0);
  return (chunk) => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    while (held.length >= 2 && held.length >= 2 + held.readUInt16BE(0)) {
      const end = 2 + held.readUInt16BE(0);
      onMessage(held.subarray(2, end));
      held = held.subarray(end);
    }
  };
}
