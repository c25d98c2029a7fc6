/** Exec and attach over WebSocket: each message begins with the number of its channel. */
import { PassThrough, Writable } from "node:stream";
import { exitStatusText } from "./exit-status.ts";
import { base64Socket } from "./message-socket.ts";
import type { MessageSocket } from "./message-socket.ts";
import { isBase64 } from "./protocols.ts";
import type { RemoteStreams, StreamRequest } from "./remote-streams.ts";
import { TerminalSizeDecoder } from "./terminal-size.ts";
import type { TerminalSize } from "./terminal-size.ts";

const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

/** The socket's protocol has been agreed on; messages that came before this call are lost, so call it at once. */
export function webSocketStreams(
  messages: MessageSocket,
  options: { readonly request: StreamRequest; readonly protocol: string },
): RemoteStreams {
  const { request, protocol } = options;
  const socket = isBase64(protocol) ? base64Socket(messages) : messages;
  const stdin = request.stdin ? new PassThrough() : undefined;
  const sizes: TerminalSize[] = [];
  let onSize = (size: TerminalSize): void => void sizes.push(size);
  const decoder = new TerminalSizeDecoder();
  const closed = Promise.withResolvers<void>();

  stdin?.on("drain", () => socket.resume());
  socket.on("message", (message) => {
    const [channel] = message;
    const data = message.subarray(1);
    if (channel === channels.stdin && stdin !== undefined && !stdin.writableEnded) {
      if (data.length > 0 && !stdin.write(data)) socket.pause();
    } else if (channel === channels.resize) decoder.push(data).forEach((size) => onSize(size));
    else if (channel === channels.close && data[0] === channels.stdin) stdin?.end();
  });
  const leave = (): void => {
    stdin?.end();
    closed.resolve();
  };
  socket.on("close", leave);
  socket.on("error", leave);

  const send = (channel: number, data: Buffer, done: () => void): void =>
    socket.send(Buffer.concat([Buffer.from([channel]), data]), () => done());
  const output = (channel: number): Writable =>
    new Writable({ write: (chunk: Buffer, _encoding, done) => send(channel, chunk, done) });
  // An empty message tells clients that wait for one that the streams are there, as upstream does.
  send(request.stdout ? channels.stdout : channels.error, Buffer.alloc(0), () => undefined);
  return {
    stdin,
    stdout: request.stdout ? output(channels.stdout) : undefined,
    stderr: request.stderr && !request.tty ? output(channels.stderr) : undefined,
    closed: closed.promise,
    onResize: (callback) => {
      onSize = callback;
      sizes.splice(0).forEach(callback);
    },
    finish: (result) =>
      new Promise((resolve) => {
        const end = (): void => {
          socket.close(1000);
          resolve();
        };
        const text = exitStatusText(result, protocol);
        if (text === "") end();
        else send(channels.error, Buffer.from(text), end);
      }),
  };
}
