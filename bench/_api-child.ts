/**
 * The server side of the API benchmark, a process of its own. First argument: `api` (over SQLite in the folder of the
 * second), `echo` (HTTPS, answers each body with itself), or `fan` (HTTP/2, what is posted goes to all that listen).
 */
import { createServer as createHttpsServer } from "node:https";
import { createSecureServer } from "node:http2";
import type { ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { openSqliteStore } from "../src/storage/index.ts";
import { startTestServer } from "../test/contract/api-server.ts";
import type { TestServer } from "../test/contract/api-server.ts";

const [mode = "", folder = ""] = process.argv.slice(2);

interface Ready {
  readonly port: number;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** From opening the store to the first answer. */
  readonly startMs?: number;
  readonly startCpuMs?: number;
}

async function startApi(): Promise<Ready> {
  const began = performance.now();
  const cpuBefore = process.cpuUsage();
  const store = openSqliteStore(join(folder, "objects.db"));
  const server = endedBySignal(await startTestServer({ store }));
  const { user, system } = process.cpuUsage(cpuBefore);
  const ready = readyOf(server, Number(new URL(server.url).port));
  return { ...ready, startMs: performance.now() - began, startCpuMs: (user + system) / 1000 };
}

/** It leaves no folder behind. */
function endedBySignal(server: TestServer): TestServer {
  process.once("SIGTERM", () => void server.close().finally(() => process.exit()));
  return server;
}

function readyOf({ pki }: TestServer, port: number): Ready {
  const pair = pki.issue({ commonName: "bench", organizations: ["system:masters"], usage: "client", validDays: 1 });
  return { port, ca: pki.caCertificate, cert: pair.certificate, key: pair.key };
}

/** The floors use the same kind of keys: the handshake and the cipher are the same. */
async function startFloor(): Promise<Ready> {
  const server = endedBySignal(await startTestServer());
  const { privateKey: key, certificate: cert } = serverIdentity(server);
  const port = mode === "echo" ? await listenEcho({ key, cert }) : await listenFan({ key, cert });
  return readyOf(server, port);
}

function serverIdentity({ pki }: TestServer): { readonly privateKey: string; readonly certificate: string } {
  return { privateKey: pki.apiServer.key, certificate: pki.apiServer.certificate };
}

interface Identity {
  readonly key: string;
  readonly cert: string;
}

/** GET answers with what was posted last. */
function listenEcho(identity: Identity): Promise<number> {
  let last: Buffer = Buffer.alloc(0);
  const server = createHttpsServer(identity, (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = request.method === "GET" ? last : Buffer.concat(chunks);
      if (request.method === "POST") last = body;
      response.writeHead(request.method === "POST" ? 201 : 200, {
        "content-type": "application/json",
        "content-length": String(body.length),
      });
      response.end(body);
    });
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

/** Every GET is a listener; every other body is written to all of them. */
function listenFan(identity: Identity): Promise<number> {
  const listeners = new Set<ServerHttp2Stream>();
  const server = createSecureServer(identity);
  server.on("stream", (stream, headers) => {
    stream.on("error", () => listeners.delete(stream));
    if (headers[":method"] === "GET") {
      listeners.add(stream);
      stream.on("close", () => listeners.delete(stream));
      stream.respond({ ":status": 200, "content-type": "application/json" });
      return;
    }
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => {
      const line = Buffer.concat([...chunks, Buffer.from("\n")]);
      for (const listener of listeners) listener.write(line);
      stream.respond({ ":status": 200 });
      stream.end();
    });
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

// Whoever asked is gone.
process.on("disconnect", () => process.exit());
process.on("message", () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuMs: (user + system) / 1000, rssMb: process.memoryUsage.rss() / 2 ** 20 });
});
process.send?.(mode === "api" ? await startApi() : await startFloor());
