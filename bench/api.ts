/**
 * The API server over SQLite, as clients meet it: writes, reads, lists, fan-out, and what a large store costs; each beside
 * a bare Node server that does no more than move the same bytes. One process serves, this one asks.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient, measure, startServer } from "./_api-client.ts";
import type { Asking, Measured, Server } from "./_api-client.ts";
import { compareFanOut } from "./_api-fan.ts";
import { configMapManifest, fillStore, podManifest } from "./_api-objects.ts";
import { median, printTable } from "./_table.ts";

const path = "/api/v1/namespaces/default/configmaps";
const table = "application/json;as=Table;v=v1;g=meta.k8s.io";
const largeStore = { services: 10_000, endpoints: 40_000, pods: 5000 };

/** `args`: seconds per measurement, 3 by default; then parts to run (writes, lists, fan, store), all by default. */
export async function run(args: readonly string[]): Promise<void> {
  const seconds = Number(args[0] ?? 3);
  const parts = args.slice(1);
  const wants = (part: string): boolean => parts.length === 0 || parts.includes(part);
  const scratch = mkdtempSync(join(tmpdir(), "netloom-bench-api-"));
  const folder = (): string => mkdtempSync(join(scratch, "store-"));
  try {
    if (wants("writes")) await compareWrites(folder(), seconds);
    if (wants("lists")) await compareLists(folder());
    if (wants("fan")) await printFanOut(folder(), seconds);
    if (wants("store")) await printStore(folder);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

let serial = 0;

function aWrite(): Asking {
  serial += 1;
  return { method: "POST", path, body: JSON.stringify(configMapManifest(`c-${serial}`, "0")) };
}

async function both(
  servers: { readonly api: Server; readonly echo: Server },
  options: Parameters<typeof measure>[1],
): Promise<{ readonly api: Measured; readonly echo: Measured }> {
  return { echo: await measure(servers.echo, options), api: await measure(servers.api, options) };
}

async function compareWrites(folder: string, seconds: number): Promise<void> {
  const servers = { api: await startServer("api", folder), echo: await startServer("echo") };
  const rows: string[][] = [];
  const add = (what: string, clients: number, { api, echo }: Awaited<ReturnType<typeof both>>): void => {
    rows.push([
      what,
      String(clients),
      echo.perSecond.toFixed(0),
      api.perSecond.toFixed(0),
      `${(api.perSecond / echo.perSecond).toFixed(2)}x`,
      `${echo.p50Ms.toFixed(2)} / ${echo.p99Ms.toFixed(2)}`,
      `${api.p50Ms.toFixed(2)} / ${api.p99Ms.toFixed(2)}`,
      (echo.cpuMs * 1000).toFixed(0),
      (api.cpuMs * 1000).toFixed(0),
      `${(api.cpuMs / echo.cpuMs).toFixed(1)}x`,
    ]);
  };
  // Code that runs for the first time is being compiled; the API's has more of it, and both shall be past that.
  await both(servers, { clients: 64, seconds, asking: aWrite });
  for (const clients of [1, 16, 64]) {
    // oxlint-disable-next-line no-await-in-loop -- one measurement at a time
    add("create", clients, await both(servers, { clients, seconds, asking: aWrite }));
  }
  for (const server of [servers.echo, servers.api]) {
    const one = createClient(server, 1);
    // oxlint-disable-next-line no-await-in-loop -- one server after the other
    await one.ask({ method: "POST", path, body: JSON.stringify(configMapManifest("one", "0")) });
    one.close();
  }
  const asking = (): Asking => ({ method: "GET", path: `${path}/one` });
  add("get", 16, await both(servers, { clients: 16, seconds, asking }));
  await Promise.all([servers.api.stop(), servers.echo.stop()]);
  console.log("Requests of a ConfigMap of 800 bytes; milliseconds p50 / p99; CPU of the server in µs per request");
  printTable(
    ["request", "clients", "echo/s", "API/s", "ratio", "echo p50/p99", "API p50/p99", "echo CPU", "API CPU", "ratio"],
    rows,
  );
}

async function compareLists(folder: string): Promise<void> {
  await fillStore(folder, { services: 0, endpoints: 0, pods: 5000 });
  const server = await startServer("api", folder);
  const client = createClient(server, 1);
  const rows: string[][] = [];
  for (const [what, accept] of [
    ["JSON", "application/json"],
    ["Table", table],
  ] as const) {
    const times: number[] = [];
    let size = 0;
    for (let index = 0; index < 7; index += 1) {
      const began = performance.now();
      // oxlint-disable-next-line no-await-in-loop -- one list at a time
      size = await client.ask({ method: "GET", path: "/api/v1/pods", accept });
      times.push(performance.now() - began);
    }
    rows.push([what, (size / 2 ** 20).toFixed(1), (times[0] ?? 0).toFixed(0), median(times.slice(1)).toFixed(0)]);
  }
  client.close();
  await server.stop();
  console.log("\nA list of 5,000 pods");
  printTable(["form", "MiB", "first, ms", "median of the next six, ms"], rows);
}

async function printFanOut(folder: string, seconds: number): Promise<void> {
  const { floor, api } = await compareFanOut(folder, { watchers: 1000, seconds });
  const row = (what: string, { p50Ms, p99Ms, cpuMs, received, expected }: typeof api): string[] => [
    what,
    p50Ms.toFixed(1),
    p99Ms.toFixed(1),
    cpuMs.toFixed(1),
    `${received} of ${expected}`,
  ];
  console.log("\n50 events a second to 1,000 watchers on 50 HTTP/2 connections");
  printTable(
    ["server", "p50 ms", "p99 ms", "CPU ms per event", "received"],
    [row("bare fan-out", floor), row("API", api)],
  );
  console.log(`p99: ${(api.p99Ms / floor.p99Ms).toFixed(2)}x`);
}

async function printStore(folder: () => string): Promise<void> {
  const rows: string[][] = [];
  let emptyMb = 0;
  for (const [what, size] of [
    ["empty", { services: 0, endpoints: 0, pods: 0 }],
    ["half", { services: largeStore.services / 2, endpoints: largeStore.endpoints / 2, pods: largeStore.pods / 2 }],
    ["10,000 services, 40,000 endpoints, 5,000 pods", largeStore],
  ] as const) {
    const place = folder();
    // oxlint-disable-next-line no-await-in-loop -- one store at a time
    const objects = await fillStore(place, size);
    // oxlint-disable-next-line no-await-in-loop -- as above
    const server = await startServer("api", place);
    // oxlint-disable-next-line no-await-in-loop -- as above
    const { rssMb } = await server.usage();
    if (objects === 0) emptyMb = rssMb;
    const growth = objects === 0 ? "" : (((rssMb - emptyMb) * 1024) / objects).toFixed(1);
    const times = [server.startMs ?? 0, server.startCpuMs ?? 0].map((ms) => ms.toFixed(0));
    rows.push([what, String(objects), ...times, rssMb.toFixed(0), growth]);
    // oxlint-disable-next-line no-await-in-loop -- as above
    await server.stop();
  }
  console.log("\nStart (opening the store until ready) and memory (resident, with Node and the source's types)");
  printTable(["store", "objects", "start ms", "CPU ms", "MiB", "KiB per object"], rows);
  console.log(`A pod's manifest has ${JSON.stringify(podManifest("pod-0")).length} bytes before defaults and status.`);
}
