import assert from "node:assert/strict";
import { connect } from "node:tls";
import type { TLSSocket } from "node:tls";
import { after, before, test } from "node:test";
import { resources } from "../../src/api/resources.ts";
import type { WatchEvent } from "../../src/api/object.ts";
import type { ConfigMap } from "../../src/api/generated/types.ts";
import { startTestServer } from "./api-server.ts";
import type { TestServer } from "./api-server.ts";
import { patience } from "../patience.ts";

let started: TestServer | undefined;

before(async () => {
  started = await startTestServer();
});

after(async () => {
  await started?.close();
});

const path = "/api/v1/namespaces/default/configmaps?watch=1&resourceVersion=0";

/** A watcher that stops reading after the headers of its answer. */
function watcherThatStops({
  server,
  pki,
}: TestServer): Promise<{ readonly socket: TLSSocket; readonly cut: Promise<void> }> {
  const pair = pki.issue({ commonName: "slow", organizations: ["system:masters"], usage: "client", validDays: 1 });
  const socket = connect({
    host: "127.0.0.1",
    port: server.port,
    ca: pki.caCertificate,
    cert: pair.certificate,
    key: pair.key,
    ALPNProtocols: ["http/1.1"],
  });
  const cut = new Promise<void>((resolve) => {
    socket.on("close", () => resolve());
    socket.on("error", () => undefined);
  });
  return new Promise((resolve) => {
    socket.once("secureConnect", () => socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`));
    socket.once("data", () => {
      socket.pause();
      resolve({ socket, cut });
    });
  });
}

test(
  "a watcher that does not read is cut off, and another one gets every event meanwhile",
  { timeout: 60_000 * patience },
  async () => {
    assert.ok(started);
    const client = started.server.client({ name: "admin", groups: ["system:masters"] });
    const { socket, cut } = await watcherThatStops(started);
    const ended = new AbortController();
    const seen: WatchEvent<ConfigMap>[] = [];
    const watching = (async () => {
      for await (const event of client.watch(resources.configMaps, { namespace: "default", signal: ended.signal })) {
        seen.push(event);
      }
    })();
    const text = "x".repeat(500_000);
    const count = 60;
    for (let index = 0; index < count; index += 1) {
      await client.create(resources.configMaps, {
        metadata: { name: `large-${index}`, namespace: "default" },
        data: { text },
      });
    }
    ended.abort();
    await watching;
    assert.equal(seen.filter(({ type }) => type === "ADDED").length, count);
    // Reading what is left shows the end: the server has closed long before all 30 MB were sent.
    let received = 0;
    socket.on("data", (chunk: Buffer) => (received += chunk.length));
    socket.resume();
    await cut;
    assert.ok(received < count * text.length, `${received} bytes came through`);
  },
);
