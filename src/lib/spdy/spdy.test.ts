import assert from "node:assert/strict";
import { duplexPair } from "node:stream";
import type { Duplex, Readable } from "node:stream";
import { test } from "node:test";
import { crc32, deflateSync, constants } from "node:zlib";
import * as fc from "fast-check";
import { SpdyConnection } from "./connection.ts";
import { dictionary, dictionaryChecksum } from "./dictionary.ts";
import { SpdyError } from "./errors.ts";
import { encodeFrame, FrameDecoder } from "./frames.ts";
import type { SpdyFrame } from "./frames.ts";
import type { SpdyStream } from "./stream.ts";
import { HeaderCompressor, HeaderDecompressor } from "./header-block.ts";

function adler32(bytes: Buffer): number {
  let [a, b] = [1, 0];
  for (const byte of bytes) {
    a = (a + byte) % 65_521;
    b = (b + a) % 65_521;
  }
  return ((b << 16) | a) >>> 0;
}

async function textOf(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

test("the dictionary has the checksum that every SPDY/3 stream names", () => {
  assert.equal(adler32(dictionary), dictionaryChecksum);
});

const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
const streamId = fc.integer({ min: 1, max: 0x7fff_ffff });
const word = fc.integer({ min: 0, max: 0x7fff_ffff });
const frames: fc.Arbitrary<SpdyFrame> = fc.oneof(
  fc.record({ type: fc.constant("data" as const), streamId, isLast: fc.boolean(), data: bytes }),
  fc.record({
    type: fc.constant("syn-stream" as const),
    streamId,
    isLast: fc.boolean(),
    isUnidirectional: fc.boolean(),
    priority: fc.integer({ min: 0, max: 7 }),
    headerBlock: bytes,
  }),
  fc.record({
    type: fc.constantFrom("syn-reply" as const, "headers" as const),
    streamId,
    isLast: fc.boolean(),
    headerBlock: bytes,
  }),
  fc.record({ type: fc.constant("rst-stream" as const), streamId, status: word }),
  fc.record({ type: fc.constant("ping" as const), id: word }),
  fc.record({ type: fc.constant("goaway" as const), lastStreamId: word, status: word }),
  fc.record({ type: fc.constant("window-update" as const), streamId, delta: word }),
  fc.record({
    type: fc.constant("settings" as const),
    settings: fc.array(
      fc.record(
        { id: fc.integer({ min: 0, max: 0xff_ffff }), flags: fc.integer({ min: 0, max: 255 }), value: word },
        { noNullPrototype: true },
      ),
      { maxLength: 5 },
    ),
  }),
);

test("frames come back as they were sent, however the bytes are cut", () => {
  fc.assert(
    fc.property(fc.array(frames, { maxLength: 8 }), fc.integer({ min: 1, max: 64 }), (sent, size) => {
      const wire = Buffer.concat(sent.map(encodeFrame));
      const decoder = new FrameDecoder();
      const received: SpdyFrame[] = [];
      for (let at = 0; at < wire.length; at += size) received.push(...decoder.push(wire.subarray(at, at + size)));
      assert.deepEqual(
        received,
        sent.map((frame) => ({ ...frame })),
      );
    }),
  );
});

test("the frame decoder survives any bytes: it throws SpdyError or goes on", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
      try {
        new FrameDecoder().push(Buffer.from(noise));
      } catch (error) {
        assert.ok(error instanceof SpdyError);
      }
    }),
  );
});

const headers = fc.dictionary(
  fc.stringMatching(/^[a-z][a-z0-9-]{0,15}$/),
  fc.array(fc.stringMatching(/^[ -~]{0,30}$/), { minLength: 1, maxLength: 3 }),
  { maxKeys: 10, noNullPrototype: true },
);

test("header blocks of one direction come back in order", () => {
  fc.assert(
    fc.property(fc.array(headers, { maxLength: 6 }), (sent) => {
      const compressor = new HeaderCompressor();
      const decompressor = new HeaderDecompressor();
      for (const block of sent) assert.deepEqual(decompressor.decompress(compressor.compress(block)), block);
    }),
  );
});

test("a header block of another zlib, with the dictionary preset and a sync flush, is read", () => {
  const plain = Buffer.from("0000000100000004686f7374000000056c6f6f6d31", "hex");
  const zlib = deflateSync(plain, { dictionary, finishFlush: constants.Z_SYNC_FLUSH });
  assert.deepEqual(new HeaderDecompressor().decompress(zlib), { host: ["loom1"] });
});

test("the header decompressor survives any bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (noise, isHeaded) => {
      const head = isHeaded ? new HeaderCompressor().compress({}).subarray(0, 6) : Buffer.alloc(0);
      try {
        new HeaderDecompressor().decompress(Buffer.concat([head, Buffer.from(noise)]));
      } catch (error) {
        assert.ok(error instanceof SpdyError);
      }
    }),
  );
});

function connect(
  onStream: (connection: SpdyConnection, stream: SpdyStream) => void,
  hasFlowControl = false,
): { readonly client: SpdyConnection; readonly server: SpdyConnection; readonly ends: readonly [Duplex, Duplex] } {
  const ends = duplexPair();
  const server: SpdyConnection = new SpdyConnection(ends[0], {
    role: "server",
    hasFlowControl,
    onStream: (stream) => onStream(server, stream),
  });
  return { client: new SpdyConnection(ends[1], { role: "client", hasFlowControl }), server, ends };
}

for (const hasFlowControl of [false, true]) {
  test(`a megabyte goes there and back on several streams at once, ${hasFlowControl ? "with" : "without"} windows`, async () => {
    const { client } = connect((server, stream) => {
      server.reply(stream);
      stream.pipe(stream);
    }, hasFlowControl);
    const data = Buffer.from(Array.from({ length: 1 << 20 }, (_, index) => (index * 7) & 0xff));
    await Promise.all(
      [1, 2, 3].map(async (index) => {
        const { stream, replied } = client.open({ streamtype: [`s${index}`] });
        await replied;
        stream.end(data);
        const chunks: Buffer[] = [];
        for await (const chunk of stream) chunks.push(chunk as Buffer);
        assert.equal(crc32(Buffer.concat(chunks)), crc32(data));
      }),
    );
    client.close();
    await client.closed;
  });
}

test("a writer is held back while the reader does not read", async () => {
  const streams: Readable[] = [];
  const { client } = connect((server, stream) => {
    server.reply(stream);
    streams.push(stream);
  }, true);
  const { stream, replied } = client.open({});
  await replied;
  let written = 0;
  const chunk = Buffer.alloc(16 * 1024);
  const fill = async (): Promise<void> => {
    for (let turn = 0; turn < 50; turn += 1) {
      while (stream.write(chunk)) written += chunk.length;
      await new Promise(setImmediate);
    }
  };
  await fill();
  assert.ok(written <= 256 * 1024, `${written} bytes were taken though nobody reads`);
  stream.end();
  const [reader] = streams;
  assert.ok(reader !== undefined);
  let received = 0;
  for await (const part of reader) received += (part as Buffer).length;
  assert.ok(received >= written);
});

test("each half closes by itself", async () => {
  const { client } = connect((server, stream) => {
    server.reply(stream);
    void textOf(stream).then((text) => stream.end(`got ${text}`));
  });
  const { stream } = client.open({});
  stream.end("all");
  assert.equal(await textOf(stream), "got all");
});

test("a refused stream rejects its opener", async () => {
  const { client } = connect((_, stream) => stream.destroy());
  await assert.rejects(client.open({}).replied, SpdyError);
});

test("the end of the socket ends the streams and the connection", async () => {
  const { client, server, ends } = connect((connection, stream) => connection.reply(stream));
  const { stream, replied } = client.open({});
  await replied;
  ends[0].destroy();
  ends[1].destroy();
  await Promise.all([client.closed, server.closed]);
  assert.equal(stream.destroyed, true);
});

test("pings are answered, one's own answers are not", async () => {
  const [a, b] = duplexPair();
  const server = new SpdyConnection(a, { role: "server" });
  const decoder = new FrameDecoder();
  const seen: SpdyFrame[] = [];
  b.on("data", (chunk: Buffer) => seen.push(...decoder.push(chunk)));
  b.write(encodeFrame({ type: "ping", id: 1 }));
  b.write(encodeFrame({ type: "ping", id: 2 }));
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  assert.deepEqual(seen, [{ type: "ping", id: 1 }]);
  server.destroy();
});

test("bytes that are no SPDY end the connection", async () => {
  const [a, b] = duplexPair();
  const server = new SpdyConnection(a, { role: "server" });
  b.resume();
  b.write(Buffer.from("ffff00000000000000", "hex"));
  await server.closed;
});
