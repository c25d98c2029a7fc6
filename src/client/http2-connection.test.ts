import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttp2Server, type ServerHttp2Session } from "node:http2";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { test } from "node:test";
import type { Kubeconfig } from "../machinery/kubeconfig/index.ts";
import { ConnectionError } from "./connection-error.ts";
import { createHttp2Connection } from "./http2-connection.ts";

async function serverAt(server: Pick<Server, "listen" | "address" | "on">): Promise<Kubeconfig> {
  server.listen(0, "127.0.0.1");
  await once(server as Server, "listening");
  return {
    server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    skipsVerification: true,
    namespace: "default",
  };
}

test("a quiet connection is pinged again and again, and its watch goes on", { timeout: 20_000 }, async () => {
  const server = createHttp2Server();
  const sessions: ServerHttp2Session[] = [];
  const pinged = new Promise<void>((resolve) => {
    let pings = 0;
    server.on("session", (session) => {
      sessions.push(session);
      session.on("ping", () => {
        pings += 1;
        if (pings === 2) resolve();
      });
    });
  });
  server.on("stream", (stream) => {
    stream.respond({ ":status": 200 });
    // What the server says after the silence.
    void pinged.then(() => stream.end("late"));
  });
  // Long enough for a busy machine to answer in.
  const connection = createHttp2Connection(await serverAt(server), { pingAfterMs: 500 });
  try {
    const { body } = await connection.request({ method: "GET", path: "/watch" });
    const chunks: Buffer[] = [];
    for await (const chunk of body) chunks.push(chunk);
    assert.equal(Buffer.concat(chunks).toString(), "late");
    assert.equal(sessions.length, 1);
  } finally {
    connection.close();
    server.close();
  }
});

test("a server that answers no ping is given up", { timeout: 20_000 }, async () => {
  const open: Socket[] = [];
  const server = createServer((socket) => void open.push(socket.on("error", () => undefined)));
  const connection = createHttp2Connection(await serverAt(server), { pingAfterMs: 20 });
  try {
    await assert.rejects(connection.request({ method: "GET", path: "/" }), (error) => {
      assert.ok(error instanceof ConnectionError);
      assert.match(error.message, /the server did not answer for 0\.04 s/);
      return true;
    });
  } finally {
    connection.close();
    server.close();
    for (const socket of open) socket.destroy();
  }
});
