import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type ClientHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { settle } from "../machinery/fake-clock.ts";
import { readBody } from "./response-body.ts";

async function withServer(
  answer: (stream: ServerHttp2Stream) => void,
  use: (session: ClientHttp2Session) => Promise<void>,
): Promise<void> {
  const server = createServer();
  server.on("stream", answer);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  try {
    await use(session);
  } finally {
    session.destroy();
    server.close();
  }
}

async function bytesOf(body: AsyncIterable<Buffer>): Promise<number> {
  let bytes = 0;
  for await (const chunk of body) bytes += chunk.length;
  return bytes;
}

test("a body that is read long after its stream has closed is whole", async () => {
  await withServer(
    (stream) => {
      stream.respond({ ":status": 200 });
      stream.end(Buffer.alloc(900));
    },
    async (session) => {
      const stream = session.request({ ":path": "/" });
      const body = readBody(stream);
      await once(stream, "close");
      await settle();
      assert.equal(await bytesOf(body), 900);
    },
  );
});

test("a body that was cut off throws after what came of it", async () => {
  await withServer(
    (stream) => {
      stream.respond({ ":status": 200 });
      stream.on("error", () => undefined);
      stream.write(Buffer.alloc(100), () => stream.session?.socket.destroy());
    },
    async (session) => {
      const stream = session.request({ ":path": "/" });
      stream.on("error", () => undefined);
      await assert.rejects(bytesOf(readBody(stream)));
    },
  );
});

test("a body nobody reads waits on the server's side, and comes whole later", async () => {
  const size = 8 * 1024 * 1024;
  await withServer(
    (stream) => {
      stream.respond({ ":status": 200 });
      stream.end(Buffer.alloc(size));
    },
    async (session) => {
      const stream = session.request({ ":path": "/" });
      const body = readBody(stream);
      await once(stream, "response");
      while (!stream.isPaused()) await settle();
      assert.equal(await bytesOf(body), size);
    },
  );
});
