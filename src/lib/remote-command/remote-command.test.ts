import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { duplexPair, PassThrough } from "node:stream";
import type { Readable } from "node:stream";
import { test } from "node:test";
import * as fc from "fast-check";
import { SpdyConnection } from "../spdy/index.ts";
import { exitStatusText } from "./exit-status.ts";
import {
  acceptSpdyStreams,
  chooseProtocol,
  messageSocketStream,
  serveSession,
  spdyProtocols,
  StreamsMissingError,
  webSocketProtocols,
  webSocketStreams,
} from "./index.ts";
import type { MessageSocket } from "./index.ts";
import type { ServedSession } from "./remote-streams.ts";
import { TerminalSizeDecoder } from "./terminal-size.ts";

async function textOf(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** One end of a WebSocket without a network. */
class FakeSocket extends EventEmitter implements MessageSocket {
  readonly sent: (Buffer | string)[] = [];
  readonly bufferedAmount = 0;
  closeCode: number | undefined;
  isPaused = false;

  send(data: Buffer | string, done: (error?: Error) => void): void {
    this.sent.push(data);
    done();
  }

  close(code?: number): void {
    this.closeCode = code;
    this.emit("close");
  }

  terminate(): void {
    this.emit("close");
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  receive(...bytes: readonly (number | string)[]): void {
    const parts = bytes.map((part) => (typeof part === "number" ? Buffer.from([part]) : Buffer.from(part)));
    this.emit("message", Buffer.concat(parts), true);
  }

  /** All that was sent on a channel. */
  textOn(channel: number): string {
    return this.sent
      .map((message) => Buffer.from(message))
      .filter((message) => message[0] === channel)
      .map((message) => message.subarray(1).toString())
      .join("");
  }
}

/** A process that returns its input in capitals and ends with it. */
function shout(exitCode: number): ServedSession & { readonly sizes: string[]; isClosed: boolean } {
  const stdin = new PassThrough();
  const stdout = new PassThrough();
  stdin.on("data", (chunk: Buffer) => stdout.write(chunk.toString().toUpperCase()));
  const exit = new Promise<number>((resolve) => {
    stdin.on("end", () => {
      stdout.end();
      resolve(exitCode);
    });
  });
  const sizes: string[] = [];
  const session = {
    stdin,
    stdout,
    stderr: undefined,
    exit,
    sizes,
    isClosed: false,
    resize: ({ columns, rows }: { columns: number; rows: number }): void => void sizes.push(`${columns}x${rows}`),
    close: (): void => {
      session.isClosed = true;
    },
  };
  return session;
}

for (const [supported, offered, chosen] of [
  [spdyProtocols, ["v4.channel.k8s.io", "v3.channel.k8s.io"], "v4.channel.k8s.io"],
  [spdyProtocols, ["channel.k8s.io"], "channel.k8s.io"],
  [spdyProtocols, ["v9.channel.k8s.io"], undefined],
  [webSocketProtocols, ["v4.channel.k8s.io", "v5.channel.k8s.io"], "v5.channel.k8s.io"],
] as const) {
  test(`chooseProtocol() of ${offered.join(", ")} takes ${chosen ?? "none"}`, () => {
    assert.equal(chooseProtocol<string>(supported, offered), chosen);
  });
}

test("exitStatusText() is JSON from v4 on and plain text before", () => {
  const failed = { type: "exited", exitCode: 3 } as const;
  assert.equal(
    exitStatusText(failed, "v3.channel.k8s.io"),
    "command terminated with non-zero exit code: exit status 3",
  );
  assert.equal(exitStatusText({ type: "exited", exitCode: 0 }, "channel.k8s.io"), "");
  const status = JSON.parse(exitStatusText(failed, "v4.channel.k8s.io")) as { details: unknown; reason: string };
  assert.equal(status.reason, "NonZeroExitCode");
  assert.deepEqual(status.details, { causes: [{ reason: "ExitCode", message: "3" }] });
});

test("terminal sizes are read however the bytes are cut", () => {
  const size = fc.record({ columns: fc.integer({ min: 1, max: 65_535 }), rows: fc.integer({ min: 1, max: 65_535 }) });
  fc.assert(
    fc.property(fc.array(size, { maxLength: 5 }), fc.integer({ min: 1, max: 20 }), (sizes, step) => {
      const wire = Buffer.from(
        sizes.map(({ columns, rows }) => `${JSON.stringify({ Width: columns, Height: rows })}\n`).join(""),
      );
      const decoder = new TerminalSizeDecoder();
      const read: { columns: number; rows: number }[] = [];
      for (let at = 0; at < wire.length; at += step) read.push(...decoder.push(wire.subarray(at, at + step)));
      assert.deepEqual(
        read,
        sizes.map((given) => ({ ...given })),
      );
    }),
  );
});

test("the terminal size decoder survives any bytes", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 50 })), (chunks) => {
      const decoder = new TerminalSizeDecoder();
      for (const chunk of chunks) {
        for (const { columns, rows } of decoder.push(Buffer.from(chunk))) assert.ok(columns > 0 && rows > 0);
      }
    }),
  );
});

test("a session over WebSocket v5: input, size, half-close, output, status", async () => {
  const socket = new FakeSocket();
  const request = { stdin: true, stdout: true, stderr: false, tty: true };
  const streams = webSocketStreams(socket, { request, protocol: "v5.channel.k8s.io" });
  // What comes before the process is there is kept.
  socket.receive(4, '{"Width":80,"Height":24}');
  socket.receive(0, "hello");
  const session = shout(2);
  const served = serveSession(streams, session);
  socket.receive(255, 0);
  await served;
  assert.equal(socket.textOn(1), "HELLO");
  assert.match(socket.textOn(3), /"message":"2"/);
  assert.deepEqual(session.sizes, ["80x24"]);
  assert.deepEqual([socket.closeCode, session.isClosed], [1000, true]);
});

test("a session over the first WebSocket protocols: plain text errors, and base64 for those who need text", async () => {
  const request = { stdin: true, stdout: true, stderr: false, tty: false };
  const plain = new FakeSocket();
  const session = shout(2);
  const served = serveSession(webSocketStreams(plain, { request, protocol: "channel.k8s.io" }), session);
  plain.receive(0, "hello");
  plain.receive(255, 0);
  await served;
  assert.equal(plain.textOn(1), "HELLO");
  assert.equal(plain.textOn(3), "command terminated with non-zero exit code: exit status 2");

  const encoded = new FakeSocket();
  const quiet = shout(0);
  const ended = serveSession(webSocketStreams(encoded, { request, protocol: "base64.channel.k8s.io" }), quiet);
  encoded.emit("message", Buffer.from(`0${Buffer.from("hello").toString("base64")}`), false);
  encoded.terminate();
  await ended;
  const texts = encoded.sent.map(String);
  assert.equal(texts[0], "1", "an empty message opens the streams");
  const output = texts.slice(1).map((text) => Buffer.from(text.slice(1), "base64").toString());
  assert.equal(output.join(""), "HELLO");
});

test("a session is closed when its WebSocket goes away", async () => {
  const socket = new FakeSocket();
  const request = { stdin: false, stdout: true, stderr: false, tty: false };
  const session = { ...shout(0), stdin: undefined, exit: new Promise<number>(() => undefined) };
  let isClosed = false;
  const served = serveSession(webSocketStreams(socket, { request, protocol: "v4.channel.k8s.io" }), {
    ...session,
    close: () => {
      isClosed = true;
    },
  });
  socket.terminate();
  await served;
  assert.equal(isClosed, true);
});

test("WebSocket channels survive any messages", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 30 })), (messages) => {
      const socket = new FakeSocket();
      const request = { stdin: true, stdout: true, stderr: true, tty: true };
      webSocketStreams(socket, { request, protocol: "v5.channel.k8s.io" }).onResize(() => undefined);
      for (const message of messages) socket.emit("message", Buffer.from(message), true);
      socket.close();
    }),
  );
});

test("a session over SPDY: streams in any order, the status last", async () => {
  const [server, client] = duplexPair();
  const request = { stdin: true, stdout: true, stderr: true, tty: true };
  const accepted = acceptSpdyStreams(server, {
    request,
    protocol: "v4.channel.k8s.io",
    signal: new AbortController().signal,
  });
  const connection = new SpdyConnection(client, { role: "client" });
  const open = (type: string) => connection.open({ streamtype: [type] }).stream;
  const [resize, stdin, stdout, error] = [open("resize"), open("stdin"), open("stdout"), open("error")];
  resize.write('{"Width":100,"Height":40}');
  stdin.end("hello");
  const session = shout(0);
  void accepted.then((streams) => serveSession(streams, session));
  assert.deepEqual(await Promise.all([textOf(stdout), textOf(error)]), ["HELLO", '{"metadata":{},"status":"Success"}']);
  assert.deepEqual(session.sizes, ["100x40"]);
  await connection.closed;
});

test("acceptSpdyStreams() gives up on a client that does not open its streams", async () => {
  const [server, client] = duplexPair();
  const patience = new AbortController();
  const request = { stdin: true, stdout: true, stderr: false, tty: false };
  const accepted = acceptSpdyStreams(server, { request, protocol: "v4.channel.k8s.io", signal: patience.signal });
  const connection = new SpdyConnection(client, { role: "client" });
  connection.open({ streamtype: ["error"] });
  patience.abort();
  await assert.rejects(accepted, StreamsMissingError);
  client.destroy();
});

test("messageSocketStream() carries bytes both ways and ends with the socket", async () => {
  const socket = new FakeSocket();
  const stream = messageSocketStream(socket);
  stream.write("out");
  socket.receive("in ");
  socket.receive("parts");
  const text = textOf(stream);
  await new Promise(setImmediate);
  socket.close();
  assert.equal(await text, "in parts");
  assert.equal(Buffer.concat(socket.sent.map((message) => Buffer.from(message))).toString(), "out");
});
