/** Fan-out: how long a change takes to a thousand watchers on fifty connections, beside a bare server doing the same. */
import { connect } from "node:http2";
import type { ClientHttp2Session } from "node:http2";
import { setTimeout as sleep } from "node:timers/promises";
import { percentiles, startServer } from "./_api-client.ts";
import type { Server } from "./_api-client.ts";
import { configMapManifest } from "./_api-objects.ts";

const connections = 50;
const eventsPerSecond = 50;
/** A line that comes later than this counts as lost. */
const lastLinesMs = 10_000;

export interface FanOut {
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of all events times watchers. */
  readonly received: number;
  readonly expected: number;
  /** Of the server, per event. */
  readonly cpuMs: number;
}

/** The time runs from just before the write is sent until a watcher has read the line. */
export async function measureFanOut(
  server: Server,
  options: { readonly isApi: boolean; readonly watchers: number; readonly seconds: number },
): Promise<FanOut> {
  const { isApi, watchers, seconds } = options;
  const times: number[] = [];
  const sessions = await Promise.all(Array.from({ length: connections + 1 }, () => open(server)));
  const [writer, ...readers] = sessions;
  if (writer === undefined) throw new Error("Cannot measure the fan-out: there is no connection");
  const path = isApi ? "/api/v1/namespaces/default/configmaps" : "/watch";
  const watchPath = isApi ? `${path}?watch=true&fieldSelector=metadata.name%3Dfan` : path;
  if (isApi) await send(writer, { method: "POST", path, body: JSON.stringify(configMapManifest("fan", "0")) });
  const begun = Array.from({ length: watchers }, (_, index) =>
    listen(readers[index % readers.length] ?? writer, watchPath, times),
  );
  await Promise.all(begun);
  await sleep(500);
  times.length = 0;
  const before = await server.usage();
  const writes: Promise<void>[] = [];
  const count = seconds * eventsPerSecond;
  const start = performance.now();
  for (let index = 0; index < count; index += 1) {
    // oxlint-disable-next-line no-await-in-loop -- events come one after another, at a steady rate
    await sleep(Math.max(0, start + (index * 1000) / eventsPerSecond - performance.now()));
    const body = JSON.stringify(configMapManifest("fan", `${performance.now()};`));
    writes.push(send(writer, { method: isApi ? "PUT" : "POST", path: isApi ? `${path}/fan` : path, body }));
  }
  await Promise.all(writes);
  for (let waited = 0; times.length < count * watchers && waited < lastLinesMs; waited += 50) {
    // oxlint-disable-next-line no-await-in-loop -- until the last line is there
    await sleep(50);
  }
  const after = await server.usage();
  for (const session of sessions) session.destroy();
  return {
    ...percentiles(times),
    received: times.length,
    expected: count * watchers,
    cpuMs: (after.cpuMs - before.cpuMs) / count,
  };
}

async function open({ port, ca, cert, key }: Server): Promise<ClientHttp2Session> {
  // client-go's windows: Node's own 64 KiB for all streams together would hold both servers up.
  const settings = { initialWindowSize: 4 * 2 ** 20 };
  const session = connect(`https://127.0.0.1:${port}`, { ca, cert, key, settings });
  await new Promise((resolve, reject) => {
    session.once("connect", resolve);
    session.once("error", reject);
  });
  session.setLocalWindowSize(2 ** 30);
  session.on("error", () => undefined);
  return session;
}

function send(
  session: ClientHttp2Session,
  { method, path, body }: { readonly method: string; readonly path: string; readonly body: string },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ":method": method, ":path": path, "content-type": "application/json" });
    stream.on("response", (headers) => {
      if (Number(headers[":status"]) >= 400) reject(new Error(`the server answered ${String(headers[":status"])}`));
    });
    stream.on("error", reject);
    stream.on("end", resolve);
    stream.resume();
    stream.end(body);
  });
}

const mark = Buffer.from('"mark":"');

/** Resolves when the server has begun to answer. */
function listen(session: ClientHttp2Session, path: string, times: number[]): Promise<void> {
  const stream = session.request({ ":path": path });
  stream.on("error", () => undefined);
  let rest: Buffer = Buffer.alloc(0);
  stream.on("data", (part: Buffer) => {
    const now = performance.now();
    // A line may come in pieces.
    const whole = rest.length === 0 ? part : Buffer.concat([rest, part]);
    const end = whole.lastIndexOf("\n") + 1;
    const chunk = whole.subarray(0, end);
    rest = whole.subarray(end);
    for (let at = chunk.indexOf(mark); at !== -1; at = chunk.indexOf(mark, at + 1)) {
      const from = at + mark.length;
      const sent = Number(chunk.toString("latin1", from, chunk.indexOf(";", from)));
      if (sent > 0) times.push(now - sent);
    }
  });
  return new Promise((resolve) => stream.once("response", () => resolve()));
}

/** The floor and the API, one after the other. */
export async function compareFanOut(
  folder: string,
  options: { readonly watchers: number; readonly seconds: number },
): Promise<{ readonly floor: FanOut; readonly api: FanOut }> {
  const bare = await startServer("fan");
  const floor = await measureFanOut(bare, { ...options, isApi: false });
  await bare.stop();
  const server = await startServer("api", folder);
  const api = await measureFanOut(server, { ...options, isApi: true });
  await server.stop();
  return { floor, api };
}
