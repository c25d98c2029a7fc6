import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock } from "../../machinery/clock.ts";
import { silentLogger } from "../../machinery/log.ts";
import { Counter, createMetricsRegistry } from "../../machinery/metrics/index.ts";
import { createMetricsGateway, createMetricsSocket, metricsSockets } from "./index.ts";

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  return typeof address === "object" && address !== null ? address.port : 0;
}

test("the gateway shows every process' metrics on one page, and who did not answer", async () => {
  const folder = mkdtempSync(join(tmpdir(), "nl-metrics-"));
  const stop = new AbortController();
  const runs: Promise<void>[] = [];
  try {
    for (const process of ["agent-1", "agent-2"]) {
      const metrics = createMetricsRegistry();
      new Counter({ name: "pods_total", help: "Pods.", registers: [metrics] }).inc(process === "agent-1" ? 1 : 2);
      const socket = createMetricsSocket({ folder, process, metrics });
      runs.push(socket.run(stop.signal));
      await socket.ready;
    }
    const listen = { host: "127.0.0.1", port: await freePort() };
    const gateway = createMetricsGateway({
      listen,
      sources: () =>
        Promise.resolve([
          ...metricsSockets(folder),
          { process: "broken", read: () => Promise.reject(new Error("it is not there")) },
        ]),
      clock: systemClock,
      log: silentLogger,
    });
    runs.push(gateway.run(stop.signal));
    await gateway.ready;
    const at = (path: string): string => `http://${listen.host}:${listen.port}${path}`;
    const response = await fetch(at("/metrics"));
    assert.equal(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assert.equal(
      await response.text(),
      `# HELP netloom_up Whether the process answered this scrape.
# TYPE netloom_up gauge
netloom_up{process="agent-1"} 1
netloom_up{process="agent-2"} 1
netloom_up{process="broken"} 0
# HELP pods_total Pods.
# TYPE pods_total counter
pods_total{process="agent-1"} 1
pods_total{process="agent-2"} 2
`,
    );
    assert.equal((await fetch(at("/"))).status, 404);
  } finally {
    stop.abort();
    await Promise.all(runs);
    rmSync(folder, { recursive: true });
  }
});

test("the gateway goes on where its address is taken", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const address = other.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const stop = new AbortController();
  const gateway = createMetricsGateway({
    listen: { host: "127.0.0.1", port },
    sources: () => Promise.resolve([]),
    clock: systemClock,
    log: silentLogger,
  });
  const run = gateway.run(stop.signal);
  await gateway.ready;
  stop.abort();
  await run;
  other.close();
});
