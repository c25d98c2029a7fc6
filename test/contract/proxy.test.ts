/** Pods behind the API server's proxy: every method, the redirect to the slash, and who cannot be reached. */
import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { createServer } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { request as httpsRequest } from "node:https";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { type Duplex, PassThrough } from "node:stream";
import { after, before, test } from "node:test";
import { resources } from "../../src/api/resources.ts";
import { patience } from "../patience.ts";
import { startTestServer } from "./api-server.ts";
import type { TestServer } from "./api-server.ts";
import { administratorOf, httpCaller } from "./http-call.ts";
import type { Answer, Caller } from "./http-call.ts";

/** Answers with what it was asked. */
const backend = createServer((request, response) => {
  if (request.url === "/upgrade") {
    request.socket.end("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
    return;
  }
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const body = Buffer.concat(chunks).toString();
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ method: request.method, url: request.url, body }));
  });
});

/** What dials to the pod's port 82 wait for, and what tells of them. */
let late = Promise.withResolvers<Duplex>();
const dialled = new EventEmitter();

/** Reaches the backend where the pod's port 80 is meant, at port 82 when told to, and nobody elsewhere. */
function dialCluster({ port }: { readonly port: number }): Promise<Duplex> {
  if (port === 82) {
    dialled.emit("late");
    return late.promise;
  }
  if (port !== 80) return Promise.reject(Object.assign(new Error("refused"), { code: "ECONNREFUSED" }));
  return Promise.resolve(connect((backend.address() as AddressInfo).port, "127.0.0.1"));
}

const pod = "/api/v1/namespaces/default/pods/web";
let started: TestServer | undefined;
let call: Caller | undefined;

before(async () => {
  await new Promise<void>((resolve) => {
    backend.listen(0, "127.0.0.1", resolve);
  });
  started = await startTestServer({ dialCluster });
  call = httpCaller(started);
  const client = started.server.client({ name: "a", groups: ["system:masters"] });
  const metadata = { name: "web", namespace: "default" };
  await client.create(resources.pods, { metadata, spec: { containers: [{ name: "web", image: "nginx" }] } });
  const body = { status: { podIP: "10.244.1.5" } };
  await client.patch(
    resources.pods,
    { namespace: "default", name: "web" },
    { type: "merge", body },
    { subresource: "status" },
  );
});
after(async () => {
  await started?.close();
  backend.close();
});

const ask: Caller = async (path, options) => {
  assert.ok(call);
  return await call(path, options);
};

test("a proxy passes on every method with its query and body", async () => {
  for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
    const body = method === "GET" || method === "OPTIONS" ? undefined : `body of ${method}`;
    // oxlint-disable-next-line no-await-in-loop -- one after the other reads better when one fails
    const answer = await ask(`${pod}:80/proxy/some/path?a=1`, { method, ...(body === undefined ? {} : { body }) });
    assert.deepEqual(answer.json, { method, url: "/some/path?a=1", body: body ?? "" }, method);
  }
});

test("without the slash a GET is redirected, and a method with a body is passed on", async () => {
  const redirect = await ask(`${pod}:80/proxy?a=1`);
  assert.equal(redirect.code, 301);
  assert.equal(redirect.headers.location, `${pod}:80/proxy/?a=1`);
  const posted: Answer = await ask(`${pod}:80/proxy?a=1`, { method: "POST", body: "x" });
  assert.deepEqual(posted.json, { method: "POST", url: "/?a=1", body: "x" });
});

test("a pod that changes the protocol without being asked is answered for with 503", async () => {
  assert.equal((await ask(`${pod}:80/proxy/upgrade`)).code, 503);
});

test("a pod that takes no connection is told of in the words of Go's dialer", async () => {
  const answer = await ask(`${pod}:81/proxy/`);
  const message = "error trying to reach service: dial tcp 10.244.1.5:81: connect: connection refused";
  assert.equal(answer.code, 503);
  assert.equal((answer.json as { message?: string }).message, message);
});

const upgrade = { connection: "Upgrade", upgrade: "websocket" };
for (const [client, start] of [
  [
    "HTTP/2",
    (server: TestServer): (() => void) => {
      const session = connectHttp2(server.url, { ca: server.pki.caCertificate, ...administratorOf(server.pki) });
      session.request({ ":path": `${pod}:82/proxy/` }).on("error", () => undefined);
      return () => session.destroy();
    },
  ],
  ["HTTP/1.1", (server: TestServer): (() => void) => startRequest(server, {})],
  ["an upgrade", (server: TestServer): (() => void) => startRequest(server, upgrade)],
] as const) {
  test(`the connection to a pod is not kept for a client of ${client} that went away while it was dialled`, async () => {
    assert.ok(started);
    late = Promise.withResolvers();
    const isDialled = once(dialled, "late");
    const hangUp = start(started);
    await isDialled;
    hangUp();
    // Time for the server to hear of it; where it has not yet, it does while it asks.
    await ask("/metrics");
    const connection = new PassThrough();
    const isClosed = once(connection, "close", { signal: AbortSignal.timeout(5000 * patience) });
    late.resolve(connection);
    await isClosed;
  });
}

function startRequest({ url, pki }: TestServer, headers: Readonly<Record<string, string>>): () => void {
  const options = { ca: pki.caCertificate, ...administratorOf(pki), agent: false, headers };
  const request = httpsRequest(`${url}${pod}:82/proxy/x`, options);
  request.on("error", () => undefined);
  request.end();
  return () => request.destroy();
}
