/** The official JavaScript client, which we did not write: reading, writing, informers, streams. */
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { once } from "node:events";
import { PassThrough, Writable } from "node:stream";
import { after, before, test } from "node:test";
import * as k8s from "@kubernetes/client-node";
import { WebSocket } from "ws";
import { eventually, makeLab } from "./lab/index.ts";

const lab = makeLab();
const config = new k8s.KubeConfig();
const namespace = "default";
let core: k8s.CoreV1Api;

before(async () => {
  const up = await lab.netloom(["up", "--nodes", "2"]);
  assert.equal(up.code, 0, up.stderr);
  config.loadFromFile(lab.env["KUBECONFIG"] ?? "");
  core = config.makeApiClient(k8s.CoreV1Api);
  await core.createNamespacedPod({
    namespace,
    body: { metadata: { name: "target" }, spec: { containers: [{ name: "main", image: "kennethreitz/httpbin" }] } },
  });
  await eventually(async () => {
    const { status } = await core.readNamespacedPod({ name: "target", namespace });
    assert.equal(status?.conditions?.find(({ type }) => type === "Ready")?.status, "True");
  });
});
after(async () => await lab.end());

/** Collects what a stream of the client is given. */
function collector(): { readonly stream: Writable; text(): string } {
  let text = "";
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      text += chunk.toString();
      done();
    },
  });
  return { stream, text: () => text };
}

test("objects are created, read, patched, listed in pages and deleted", async () => {
  for (const name of ["one", "two", "three"]) {
    await core.createNamespacedConfigMap({
      namespace,
      body: { metadata: { name, labels: { set: "x" } }, data: { name } },
    });
  }
  const first = await core.listNamespacedConfigMap({ namespace, labelSelector: "set=x", limit: 2 });
  assert.deepEqual(
    first.items.map(({ metadata }) => metadata?.name),
    ["one", "three"],
  );
  const rest = await core.listNamespacedConfigMap({
    namespace,
    labelSelector: "set=x",
    limit: 2,
    // oxlint-disable-next-line no-underscore-dangle -- the client's name of the field
    _continue: first.metadata?._continue ?? "",
  });
  assert.deepEqual(
    rest.items.map(({ metadata }) => metadata?.name),
    ["two"],
  );
  const patched = await core.patchNamespacedConfigMap(
    { name: "one", namespace, body: { data: { more: "1" } } },
    k8s.setHeaderOptions("Content-Type", k8s.PatchStrategy.StrategicMergePatch),
  );
  assert.deepEqual(patched.data, { name: "one", more: "1" });
  await core.deleteCollectionNamespacedConfigMap({ namespace, labelSelector: "set=x" });
  await assert.rejects(core.readNamespacedConfigMap({ name: "one", namespace }), (error: unknown) => {
    assert.ok(error instanceof k8s.ApiException);
    assert.equal(error.code, 404);
    return true;
  });
});

test("an informer sees what comes, changes and goes", async () => {
  const informer = k8s.makeInformer(
    config,
    `/api/v1/namespaces/${namespace}/services`,
    async () => await core.listNamespacedService({ namespace }),
  );
  const seen: string[] = [];
  for (const verb of ["add", "update", "delete"] as const) {
    informer.on(verb, ({ metadata }: k8s.V1Service) => void seen.push(`${verb} ${metadata?.name ?? ""}`));
  }
  await informer.start();
  const body = { metadata: { name: "watched" }, spec: { ports: [{ port: 80 }] } };
  const made = await core.createNamespacedService({ namespace, body });
  made.metadata = { name: "watched", labels: { a: "b" } };
  await core.replaceNamespacedService({ name: "watched", namespace, body: made });
  await core.deleteNamespacedService({ name: "watched", namespace });
  await eventually(() =>
    assert.deepEqual(
      seen.filter((line) => line.endsWith(" watched")),
      ["add watched", "update watched", "delete watched"],
    ),
  );
  await informer.stop();
});

test("exec keeps the streams apart and tells the exit code", async () => {
  const [stdout, stderr] = [collector(), collector()];
  const status = await new Promise<k8s.V1Status>((resolve, reject) => {
    const command = ["sh", "-c", "cat; echo err >&2; exit 3"];
    const input = new PassThrough();
    input.end("through\n");
    new k8s.Exec(config)
      .exec(namespace, "target", "main", command, stdout.stream, stderr.stream, input, false, resolve)
      .catch(reject);
  });
  assert.equal(stdout.text(), "through\n");
  assert.equal(stderr.text(), "err\n");
  assert.equal(status.details?.causes?.find(({ reason }) => reason === "ExitCode")?.message, "3");
});

test("logs and port-forward stream", async () => {
  const forward = new k8s.PortForward(config);
  const server = createServer((socket) => void forward.portForward(namespace, "target", [80], socket, null, socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  const answer = await fetch(`http://127.0.0.1:${address.port}/get`, { headers: { connection: "close" } });
  assert.equal(answer.status, 200);
  await answer.text();
  server.close();
  const log = collector();
  await new k8s.Log(config).log(namespace, "target", "main", log.stream, { tailLines: 5 });
  await eventually(() => assert.match(log.text(), /Listening at/));
});

test("a log comes over a WebSocket, plain and in base64, and a refusal before there is one", async () => {
  const identity = {};
  await config.applyToHTTPSOptions(identity);
  const server = (config.getCurrentCluster()?.server ?? "").replace(/^https/, "wss");
  const open = (container: string, protocols: readonly string[]): WebSocket =>
    new WebSocket(
      `${server}/api/v1/namespaces/default/pods/target/log?container=${container}`,
      [...protocols],
      identity,
    );
  const received = async (protocols: readonly string[]): Promise<readonly string[]> => {
    const messages: string[] = [];
    const socket = open("main", protocols);
    socket.on("message", (data: Buffer) => messages.push(data.toString()));
    await once(socket, "close");
    return messages;
  };
  for (const protocols of [[], ["binary.k8s.io"]]) {
    const [first, ...rest] = await received(protocols);
    assert.equal(first, "");
    assert.match(rest.join(""), /Listening at/);
  }
  const [, ...encoded] = await received(["base64.binary.k8s.io"]);
  assert.match(encoded.map((message) => Buffer.from(message, "base64").toString()).join(""), /Listening at/);
  const refused = open("nobody", []);
  const [error] = (await once(refused, "error")) as [Error];
  assert.match(error.message, /400/);
});
