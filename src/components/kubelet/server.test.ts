import assert from "node:assert/strict";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { request } from "node:https";
import type { RequestOptions } from "node:https";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { WebSocket } from "ws";
import { bindTcpSocket } from "../../kernel/netns/index.ts";
import { SpdyConnection } from "../../lib/spdy/index.ts";
import type { SpdyStream } from "../../lib/spdy/index.ts";
import { issueCertificate } from "../../machinery/pki/index.ts";
import type { Pod } from "../../api/generated/types.ts";
import { startKubelet } from "./testing.ts";
import type { KubeletRig } from "./testing.ts";

const now = Date.now();
const validDays = 1;
const ca = issueCertificate({ commonName: "test-ca", usage: "ca", validDays }, { issuer: undefined, now });
const serving = issueCertificate(
  { commonName: "system:node:node-1", usage: "server", ipAddresses: ["127.0.0.1"], validDays },
  { issuer: ca, now },
);
const client = issueCertificate({ commonName: "apiserver", usage: "client", validDays }, { issuer: ca, now });
const identity = { ca: ca.certificate, cert: client.certificate, key: client.key };

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return port;
}

interface ServedRig extends KubeletRig {
  readonly port: number;
  get(path: string, options?: RequestOptions): Promise<{ readonly status: number; readonly body: string }>;
  upgrade(path: string, protocol: string): Promise<SpdyConnection>;
}

async function startServed(given: Parameters<typeof startKubelet>[0] = {}): Promise<ServedRig> {
  const port = await freePort();
  const { dial } = given;
  const rig = await startKubelet({
    ...given,
    options: {
      ...given.options,
      serving: { certificate: serving.certificate, key: serving.key, clientCa: ca.certificate, port },
    },
    bind: () => bindTcpSocket({ address: "127.0.0.1", port }),
    ...(dial === undefined ? {} : { dial }),
  });
  const base = { host: "127.0.0.1", port, ...identity, agent: false as const };
  return {
    ...rig,
    port,
    get: (path, options = {}) =>
      new Promise((resolve, reject) => {
        const sent = request({ ...base, path, ...options }, (response) => {
          let body = "";
          response.on("data", (chunk: Buffer) => (body += chunk.toString()));
          response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
        });
        sent.on("error", reject);
        sent.end();
      }),
    upgrade: (path, protocol) =>
      new Promise((resolve, reject) => {
        const headers = { Connection: "Upgrade", Upgrade: "SPDY/3.1", "X-Stream-Protocol-Version": protocol };
        const sent = request({ ...base, path, method: "POST", headers });
        sent.on("upgrade", (response, socket: Socket, head) => {
          assert.equal(response.headers["x-stream-protocol-version"], protocol);
          resolve(new SpdyConnection(socket, { role: "client" }, head));
        });
        sent.on("response", (response) => reject(new Error(`HTTP ${response.statusCode}`)));
        sent.on("error", reject);
        sent.end();
      }),
  };
}

async function textOf(stream: SpdyStream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

const shell = { containers: [{ name: "main", image: "busybox", command: ["sh"], stdin: true }] };
const logging = (script: string): Pick<NonNullable<Pod["spec"]>, "containers" | "restartPolicy"> => ({
  restartPolicy: "Never",
  containers: [{ name: "main", image: "busybox", command: ["sh", "-c", script] }],
});

test("only those are answered whom the API server knows and lets in", async () => {
  const rig = await startServed();
  assert.deepEqual(await rig.get("/healthz"), { status: 200, body: "ok" });
  const { cert: _cert, key: _key, ...anonymous } = identity;
  const without = { ...anonymous, cert: undefined, key: undefined };
  const answer = await rig.get("/healthz", without);
  assert.equal(answer.status, 401);
  assert.match(answer.body, /Unauthorized/);
  const withToken = (token: string) => ({ ...without, headers: { authorization: `Bearer ${token}` } });
  assert.equal((await rig.get("/pods", withToken("bad"))).status, 401);
  assert.equal((await rig.get("/pods", withToken("scraper"))).status, 200);
  const refused = await rig.get("/pods", withToken("nobody"));
  assert.equal(refused.status, 403);
  assert.match(refused.body, /Forbidden \(user=nobody, verb=get, resource=nodes, subresource\(s\)=\[pods proxy\]\)/);
  const stranger = issueCertificate({ commonName: "apiserver", usage: "ca", validDays }, { issuer: undefined, now });
  const foreign = await rig.get("/pods", { cert: stranger.certificate, key: stranger.key });
  assert.equal(foreign.status, 401);
  await rig.close();
});

test("logs are cut by tailLines and limitBytes, timed by timestamps", async () => {
  const rig = await startServed();
  await rig.createPod("talk", logging("echo one; echo two; echo three; exit 0"));
  await rig.until(() => rig.pod("talk")?.status?.phase === "Succeeded");
  const path = "/containerLogs/default/talk/main";
  assert.equal((await rig.get(path)).body, "one\ntwo\nthree\n");
  assert.equal((await rig.get(`${path}?tailLines=2`)).body, "two\nthree\n");
  assert.equal((await rig.get(`${path}?tailLines=0`)).body, "");
  assert.equal((await rig.get(`${path}?limitBytes=5`)).body, "one\nt");
  assert.match((await rig.get(`${path}?timestamps=true&tailLines=1`)).body, /^2026-01-01T00:00:00\.\d+Z three\n$/);
  assert.equal((await rig.get(`${path}?sinceTime=2027-01-01T00:00:00Z`)).body, "");
  await rig.close();
});

test("followed logs end when the container does", async () => {
  const rig = await startServed();
  await rig.createPod("talk", logging("echo one; while true"));
  const following = rig.get("/containerLogs/default/talk/main?follow=true");
  await new Promise((resolve) => {
    setTimeout(resolve, 20);
  });
  rig.runtime.endContainer(rig.runtime.started[0]?.id ?? "", 0);
  assert.equal((await following).body, "one\n");
  await rig.close();
});

test("logs of a container that has not started say why, in upstream's words", async () => {
  const rig = await startServed();
  await rig.createPod("lost", { containers: [{ name: "main", image: "nowhere/nothing" }] });
  const path = "/containerLogs/default/lost/main";
  const early = await rig.get(path);
  assert.deepEqual(JSON.parse(early.body), {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: `container "main" in pod "lost" is waiting to start: image can't be pulled`,
    reason: "BadRequest",
    code: 400,
  });
  await rig.clock.advance(1000);
  assert.match((await rig.get(path)).body, /is waiting to start: trying and failing to pull image/);
  assert.equal((await rig.get("/containerLogs/default/none/main")).status, 404);
  assert.match(
    (await rig.get(`${path}?previous=true`)).body,
    /previous terminated container \\"main\\" in pod \\"lost\\" not found/,
  );
  await rig.close();
});

test("exec over SPDY carries the streams and the exit code", async () => {
  const rig = await startServed();
  await rig.createPod("box", shell);
  const run = async (command: readonly string[], input: string): Promise<{ out: string; status: unknown }> => {
    const query = new URLSearchParams({ input: "1", output: "1" });
    for (const word of command) query.append("command", word);
    const connection = await rig.upgrade(`/exec/default/box/main?${query.toString()}`, "v4.channel.k8s.io");
    const open = (type: string): SpdyStream => connection.open({ streamtype: [type] }).stream;
    const [error, stdin, stdout] = [open("error"), open("stdin"), open("stdout")];
    stdin.end(input);
    error.end();
    const [out, status] = await Promise.all([textOf(stdout), textOf(error)]);
    connection.destroy();
    return { out, status: JSON.parse(status) as unknown };
  };
  assert.deepEqual(await run(["cat"], "through and back"), {
    out: "through and back",
    status: { metadata: {}, status: "Success" },
  });
  const { status } = await run(["sh", "-c", "exit 3"], "");
  assert.deepEqual(status, {
    metadata: {},
    status: "Failure",
    message: "command terminated with non-zero exit code: exit status 3",
    reason: "NonZeroExitCode",
    details: { causes: [{ reason: "ExitCode", message: "3" }] },
  });
  await rig.close();
});

test("exec over WebSocket ends the input with v5's close message", async () => {
  const rig = await startServed();
  await rig.createPod("box", shell);
  const url = `wss://127.0.0.1:${rig.port}/exec/default/box/main?input=1&output=1&command=cat`;
  const socket = new WebSocket(url, ["v5.channel.k8s.io"], identity);
  const received = new Map<number, string>();
  socket.on("message", (data: Buffer) => {
    const channel = data[0] ?? -1;
    received.set(channel, (received.get(channel) ?? "") + data.subarray(1).toString());
  });
  await new Promise((resolve) => {
    socket.on("open", resolve);
  });
  socket.send(Buffer.from("\0hello"));
  socket.send(Buffer.from([255, 0]));
  await new Promise((resolve) => {
    socket.on("close", resolve);
  });
  assert.equal(received.get(1), "hello");
  assert.deepEqual(JSON.parse(received.get(3) ?? ""), { metadata: {}, status: "Success" });
  await rig.close();
});

test("exec into a container that does not exist is refused before the upgrade", async () => {
  const rig = await startServed();
  await rig.createPod("box", shell);
  await assert.rejects(rig.upgrade("/exec/default/box/other?output=1&command=true", "v4.channel.k8s.io"), /HTTP 404/);
  await rig.close();
});

test("port-forward joins the client's streams with a port of the pod", async () => {
  const echo = createServer({ allowHalfOpen: true }, (socket) => void socket.pipe(socket));
  await new Promise<void>((resolve) => {
    echo.listen(0, "127.0.0.1", resolve);
  });
  const { port } = echo.address() as AddressInfo;
  const rig = await startServed({ dial: (_address, wanted) => (wanted === 80 ? port : "ECONNREFUSED") });
  await rig.createPod("box", shell);
  const connection = await rig.upgrade("/portForward/default/box", "portforward.k8s.io");
  const open = (type: string, to: string, id: string): SpdyStream =>
    connection.open({ streamtype: [type], port: [to], requestid: [id] }).stream;
  const [error, data] = [open("error", "80", "0"), open("data", "80", "0")];
  error.end();
  data.end("ping");
  assert.equal(await textOf(data), "ping");
  assert.equal(await textOf(error), "");
  const [refused] = [open("error", "81", "1"), open("data", "81", "1")];
  assert.match(
    await textOf(refused),
    /^error forwarding port 81 to pod box, uid .+: failed to connect to localhost:81/,
  );
  connection.destroy();
  echo.close();
  await rig.close();
});

test("port-forward over plain WebSocket channels", async () => {
  const echo = createServer({ allowHalfOpen: true }, (socket) => void socket.pipe(socket));
  await new Promise<void>((resolve) => {
    echo.listen(0, "127.0.0.1", resolve);
  });
  const { port } = echo.address() as AddressInfo;
  const rig = await startServed({ dial: (_address, wanted) => (wanted === 80 ? port : "ECONNREFUSED") });
  await rig.createPod("box", shell);
  const url = `wss://127.0.0.1:${rig.port}/portForward/default/box?ports=80&ports=81`;
  const socket = new WebSocket(url, ["v4.channel.k8s.io"], identity);
  const received = new Map<number, Buffer>();
  socket.on("message", (data: Buffer) => {
    const channel = data[0] ?? -1;
    received.set(channel, Buffer.concat([received.get(channel) ?? Buffer.alloc(0), data.subarray(1)]));
  });
  await new Promise((resolve) => {
    socket.on("open", resolve);
  });
  socket.send(Buffer.from("\0ping"));
  await rig.until(() => received.get(0)?.length === 6 && (received.get(3)?.length ?? 0) > 2);
  assert.deepEqual(received.get(0), Buffer.from("\u0050\0ping"));
  assert.deepEqual(received.get(2), Buffer.from("\u0051\0"));
  assert.match(received.get(3)?.toString() ?? "", /error forwarding port 81 to pod box/);
  socket.terminate();
  echo.close();
  await rig.close();
});

test("the log of a mirror pod is that of the part it shows", async () => {
  const logFile = join(mkdtempSync(join(tmpdir(), "netloom-mirror-")), "server.log");
  const lines = [1, 2].map((second) => `{"time":"2026-01-01T00:00:0${second}.000Z","msg":"line ${second}"}\n`);
  writeFileSync(logFile, lines.join(""));
  const pod = {
    metadata: { name: "kube-apiserver-node-1", namespace: "kube-system" },
    spec: { nodeName: "node-1", containers: [{ name: "kube-apiserver" }] },
  };
  const rig = await startServed({ options: { mirrorPods: [{ pod, startedAtMs: 0, logFile }] } });
  const path = "/containerLogs/kube-system/kube-apiserver-node-1/kube-apiserver";
  assert.equal((await rig.get(path)).body, lines.join(""));
  assert.equal((await rig.get(`${path}?tailLines=1`)).body, lines[1]);
  await rig.close();
  rmSync(dirname(logFile), { recursive: true });
});

test("the node's log folder is listed and read as Go's file server shows it", async () => {
  const rig = await startServed();
  const logs = join(rig.nodeRoot, "var/log");
  mkdirSync(join(logs, "pods/a:b"), { recursive: true });
  writeFileSync(join(logs, "x & <y>.log"), "hello\n");
  writeFileSync(join(logs, "packed.gz"), Buffer.from([0x1f, 0x8b, 0]));
  const start = '<!doctype html>\n<meta name="viewport" content="width=device-width">\n<pre>\n';
  assert.deepEqual(await rig.get("/logs/"), {
    status: 200,
    body:
      `${start}<a href="packed.gz">packed.gz</a>\n<a href="pods/">pods/</a>\n` +
      '<a href="x%20&%20%3Cy%3E.log">x &amp; &lt;y&gt;.log</a>\n</pre>\n',
  });
  assert.equal((await rig.get("/logs/pods/")).body, `${start}<a href="./a:b/">a:b/</a>\n</pre>\n`);
  assert.deepEqual(await rig.get("/logs/x%20%26%20%3Cy%3E.log"), { status: 200, body: "hello\n" });
  assert.deepEqual(await rig.get("/logs/x%20%26%20%3Cy%3E.log", { headers: { range: "bytes=1-3" } }), {
    status: 206,
    body: "ell",
  });
  assert.equal((await rig.get("/logs/x%20%26%20%3Cy%3E.log", { headers: { range: "bytes=9-" } })).status, 416);
  assert.equal((await rig.get("/logs")).status, 301);
  assert.equal((await rig.get("/logs/pods")).status, 301);
  assert.equal((await rig.get("/logs/packed.gz/")).status, 301);
  assert.equal((await rig.get("/logs/none")).status, 404);
  assert.equal((await rig.get("/logs/", { method: "POST" })).status, 405);
  await rig.close();
});

test("no path and no link leads out of the node's log folder; links inside are followed as on the node", async () => {
  const rig = await startServed();
  const logs = join(rig.nodeRoot, "var/log");
  mkdirSync(join(logs, "pods"), { recursive: true });
  writeFileSync(join(rig.nodeRoot, "var/secret"), "secret");
  writeFileSync(join(logs, "pods/0.log"), "line\n");
  symlinkSync("/var/log/pods/0.log", join(logs, "inside"));
  symlinkSync("../log/./pods/../pods", join(logs, "relative"));
  symlinkSync("/etc", join(logs, "host"));
  symlinkSync("../secret", join(logs, "above"));
  symlinkSync("../../../../../../../../etc/passwd", join(logs, "far"));
  symlinkSync("loop", join(logs, "loop"));
  assert.deepEqual(await rig.get("/logs/inside"), { status: 200, body: "line\n" });
  assert.deepEqual(await rig.get("/logs/relative/0.log"), { status: 200, body: "line\n" });
  for (const path of [
    "host/",
    "host/passwd",
    "above",
    "far",
    "loop",
    "..%2fsecret",
    "%2e%2e/secret",
    "pods/../../secret",
    "pods%2f..%2f..%2fsecret",
    "%00",
  ]) {
    assert.equal((await rig.get(`/logs/${path}`)).status, 404, path);
  }
  assert.equal((await rig.get("/logs/%ff")).status, 400);
  await rig.close();
});

test("a container's log is also found under the name that collectors of logs read", async () => {
  const rig = await startServed();
  await rig.createPod("web", shell);
  const links = join(rig.nodeRoot, "var/log/containers");
  await rig.until(() => existsSync(links) && readdirSync(links).length === 1);
  const [link = ""] = readdirSync(links);
  assert.match(link, /^web_default_main-[0-9a-z-]+\.log$/);
  assert.match(readlinkSync(join(links, link)), /^\/var\/log\/pods\/default_web_[^/]+\/main\/0\.log$/);
  await rig.close();
});
