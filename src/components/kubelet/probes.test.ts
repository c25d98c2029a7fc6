import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createServer as createHttp2Server } from "node:http2";
import { test } from "node:test";
import type { Container } from "../../api/generated/types.ts";
import { resources } from "../../api/resources.ts";
import type { FakeProgram } from "../../container/fake/index.ts";
import { createMetricsRegistry } from "../../machinery/metrics/index.ts";
import { kubeletMetrics } from "./metrics.ts";
import { startKubelet } from "./testing.ts";
import type { KubeletRig } from "./testing.ts";

/** A program that succeeds as long as the named switch is on. */
function switches(): {
  readonly on: Set<string>;
  readonly programs: Readonly<Record<string, FakeProgram>>;
  readonly runs: string[];
} {
  const on = new Set<string>();
  const runs: string[] = [];
  const check: FakeProgram = ({ argv, stdout }) => {
    const [, name = ""] = argv;
    runs.push(name);
    if (!on.has(name)) stdout.write(`${name} is off`);
    return Promise.resolve(on.has(name) ? 0 : 1);
  };
  return { on, programs: { check }, runs };
}

const exec = (name: string): { readonly exec: { readonly command: readonly string[] } } => ({
  exec: { command: ["check", name] },
});
const main: Container = { name: "main", image: "nginx" };
const isReady = (rig: KubeletRig): boolean | undefined => rig.pod("p")?.status?.containerStatuses?.[0]?.ready;
const restarts = (rig: KubeletRig): number | undefined => rig.pod("p")?.status?.containerStatuses?.[0]?.restartCount;

test("a container is ready once its readiness probe passes, and unready after three failures", async () => {
  const { on, programs } = switches();
  const rig = await startKubelet({ programs });
  await rig.createPod("p", { containers: [{ ...main, readinessProbe: { ...exec("ready"), periodSeconds: 5 } }] });
  await rig.clock.advance(700);
  assert.equal(isReady(rig), false);
  assert.equal(
    rig.pod("p")?.status?.conditions?.find(({ type }) => type === "Ready")?.message,
    "containers with unready status: [main]",
  );
  assert.equal(
    rig.events("p").some((text) => text.startsWith("Unhealthy")),
    false,
    "early tries make no event",
  );
  await rig.clock.advance(100);
  assert.ok(rig.events("p").includes("Unhealthy: Readiness probe failed: ready is off"));
  on.add("ready");
  await rig.clock.advance(5000);
  assert.equal(isReady(rig), true);
  on.delete("ready");
  await rig.clock.advance(10_000);
  assert.equal(isReady(rig), true);
  await rig.clock.advance(5000);
  assert.equal(isReady(rig), false);
  await rig.close();
});

test("a pod's probes are counted for as long as it is there", async () => {
  const { on, programs } = switches();
  const metrics = createMetricsRegistry();
  const rig = await startKubelet({ programs, options: { metrics } });
  const series = (): number => kubeletMetrics(metrics).probes.samples().length;
  on.add("ready");
  for (const name of ["p", "q"]) {
    await rig.createPod(name, {
      containers: [{ ...main, readinessProbe: exec("ready"), livenessProbe: exec("ready") }],
    });
  }
  await rig.clock.advance(30_000);
  assert.equal(series(), 4);
  await rig.client.delete(resources.pods, { namespace: "default", name: "p" }, { gracePeriodSeconds: 0 });
  await rig.clock.advance(30_000);
  // Two of the pod that is still there.
  await rig.until(() => series() === 2);
  await rig.close();
});

test("a server that is up after some milliseconds is ready soon after, not a period later", async () => {
  const { on, programs } = switches();
  const rig = await startKubelet({ programs });
  await rig.createPod("p", { containers: [{ ...main, readinessProbe: exec("ready") }] });
  on.add("ready");
  await rig.clock.advance(30);
  assert.equal(isReady(rig), true);
  await rig.close();
});

test("a container whose liveness probe fails three times is killed and restarted", async () => {
  const { on, programs } = switches();
  on.add("alive");
  const rig = await startKubelet({ programs });
  await rig.createPod("p", { containers: [{ ...main, livenessProbe: { ...exec("alive"), periodSeconds: 1 } }] });
  await rig.clock.advance(5000);
  assert.equal(restarts(rig), 0);
  on.delete("alive");
  await rig.clock.advance(3000);
  assert.ok(rig.events("p").includes("Killing: Container main failed liveness probe, will be restarted"));
  on.add("alive");
  await rig.clock.advance(1000);
  assert.equal(restarts(rig), 1);
  assert.equal(isReady(rig), true);
  await rig.close();
});

test("the startup probe holds the other probes back", async () => {
  const { on, programs, runs } = switches();
  const rig = await startKubelet({ programs });
  const probes = {
    startupProbe: { ...exec("up"), periodSeconds: 1 },
    livenessProbe: exec("alive"),
    readinessProbe: exec("ready"),
  };
  await rig.createPod("p", { containers: [{ ...main, ...probes }] });
  await rig.clock.advance(500);
  assert.deepEqual([...new Set(runs)], ["up"]);
  assert.equal(rig.pod("p")?.status?.containerStatuses?.[0]?.started, false);
  for (const name of ["up", "alive", "ready"]) on.add(name);
  await rig.clock.advance(1000);
  assert.deepEqual(new Set(runs), new Set(["up", "alive", "ready"]));
  assert.equal(rig.pod("p")?.status?.containerStatuses?.[0]?.started, true);
  assert.equal(isReady(rig), true);
  await rig.close();
});

test("an HTTP probe judges the status and quotes failures as upstream does", async () => {
  let status = 503;
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(
      `${request.method} ${request.url} ${request.headers["user-agent"]} ${request.headers.host} ${String(request.headers["x-probe"])}`,
    );
    response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  let isListening = false;
  const rig = await startKubelet({ dial: () => (isListening ? port : "ECONNREFUSED") });
  const httpGet = { path: "/healthz", port: "http", httpHeaders: [{ name: "X-Probe", value: "yes" }] };
  const ports = [{ name: "http", containerPort: 80 }];
  await rig.createPod("p", { containers: [{ ...main, ports, readinessProbe: { httpGet, periodSeconds: 10 } }] });
  await rig.clock.advance(800);
  assert.ok(
    rig
      .events("p")
      .includes(
        'Unhealthy: Readiness probe failed: Get "http://10.244.1.2:80/healthz": dial tcp 10.244.1.2:80: connect: connection refused',
      ),
  );
  isListening = true;
  await rig.clock.advance(9990);
  await rig.until(() =>
    rig.events("p").includes("Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 503"),
  );
  assert.equal(seen[0], "GET /healthz kube-probe/1.35 10.244.1.2:80 yes");
  status = 204;
  await rig.clock.advance(10_000);
  await rig.until(() => isReady(rig) === true);
  server.close();
  server.closeAllConnections();
  await rig.close();
});

test("a TCP probe that is never answered fails with its timeout", async () => {
  const rig = await startKubelet({ dial: () => "never" });
  await rig.createPod("p", {
    containers: [{ ...main, readinessProbe: { tcpSocket: { port: 80 }, timeoutSeconds: 2 } }],
  });
  await rig.clock.advance(20_000);
  assert.ok(rig.events("p").includes("Unhealthy: Readiness probe failed: dial tcp 10.244.1.2:80: i/o timeout"));
  await rig.close();
});

test("the hook after the start comes before the next container, the hook before the stop before the signal", async () => {
  const { on, programs, runs } = switches();
  on.add("post").add("pre");
  const rig = await startKubelet({ programs });
  const lifecycle = { postStart: exec("post"), preStop: exec("pre") };
  await rig.createPod("p", {
    containers: [
      { ...main, lifecycle },
      { name: "second", image: "nginx" },
    ],
  });
  assert.deepEqual(runs, ["post"]);
  assert.equal(rig.runtime.started.length, 2);
  await rig.client.delete(resources.pods, { namespace: "default", name: "p" });
  await rig.until(() => rig.pod("p") === undefined);
  assert.deepEqual(runs, ["post", "pre"]);
  await rig.close();
});

test("a container whose hook after the start fails is killed and started again", async () => {
  const { on, programs } = switches();
  const rig = await startKubelet({ programs });
  await rig.createPod("p", { containers: [{ ...main, lifecycle: { postStart: exec("post") } }] });
  assert.ok(rig.events("p").includes("FailedPostStartHook: PostStartHook failed"));
  on.add("post");
  await rig.clock.advance(10_000);
  assert.equal(isReady(rig), true);
  await rig.close();
});

test("a gRPC probe asks a real server for the health of the named service", async () => {
  const server = createHttp2Server();
  const asked: string[] = [];
  let status = 2;
  server.on("stream", (stream, headers) => {
    let body = Buffer.alloc(0);
    stream.on("data", (chunk: Buffer) => (body = Buffer.concat([body, chunk])));
    stream.on("end", () => {
      asked.push(`${headers[":path"]} ${headers["content-type"]} ${body.toString("latin1", 7)}`);
      if (status < 0) {
        stream.respond(
          { ":status": 200, "content-type": "application/grpc", "grpc-status": "12" },
          { endStream: true },
        );
        return;
      }
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end(Buffer.from([0, 0, 0, 0, 2, 0x08, status]));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  const rig = await startKubelet({ dial: () => port });
  const readinessProbe = { grpc: { port: 9000, service: "shop" }, periodSeconds: 1, failureThreshold: 1 };
  await rig.createPod("p", { containers: [{ ...main, readinessProbe }] });
  const failures = (text: string): boolean => rig.events("p").some((event) => event.includes(text));
  /** A second of the pod's life, and as long as the server needs for its answer. */
  const until = async (isDone: () => boolean): Promise<void> => {
    for (let tries = 0; !isDone() && tries < 20; tries += 1) {
      const before = asked.length;
      await rig.clock.advance(1000);
      await rig.until(() => asked.length > before);
      await rig.settle();
    }
    await rig.until(isDone);
  };
  await until(() => failures('Readiness probe failed: service unhealthy (responded with "NOT_SERVING")'));
  assert.equal(isReady(rig), false);
  assert.equal(asked[0], "/grpc.health.v1.Health/Check application/grpc shop");
  status = -1;
  await until(() => failures("Readiness probe failed: error: health rpc failed with status 12"));
  status = 1;
  await until(() => isReady(rig) === true);
  assert.equal(rig.dialled[0], "10.244.1.2:9000");
  await rig.close();
  await new Promise((resolve) => {
    server.close(resolve);
  });
});
