/** The client side of the API benchmark: one process's server started, asked, and measured. */
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { Agent, request as httpsRequest } from "node:https";
import { join } from "node:path";
import { residentFlags } from "../src/cmd/self.ts";

export interface Server {
  readonly port: number;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly startMs?: number;
  readonly startCpuMs?: number;
  usage(): Promise<Usage>;
  stop(): Promise<void>;
}

export interface Usage {
  readonly cpuMs: number;
  readonly rssMb: number;
}

async function nextMessage(child: ChildProcess): Promise<unknown> {
  const [message] = (await once(child, "message")) as [unknown];
  return message;
}

/** Starts `_api-child.ts` in a mode of its own, with the flags that a cluster's server has. */
export async function startServer(mode: "api" | "echo" | "fan", folder = ""): Promise<Server> {
  const child = fork(join(import.meta.dirname, "_api-child.ts"), [mode, folder], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    execArgv: [...residentFlags],
  });
  const ready = (await nextMessage(child)) as Omit<Server, "usage" | "stop">;
  return {
    ...ready,
    usage: async () => {
      const answer = nextMessage(child);
      child.send("usage");
      return (await answer) as Usage;
    },
    stop: async () => {
      const ended = once(child, "exit");
      child.kill();
      await ended;
    },
  };
}

export interface Asking {
  readonly method: string;
  readonly path: string;
  readonly body?: string;
  readonly accept?: string;
}

/** As many connections as clients, kept open; resolves to the answer's size in bytes. */
export function createClient(server: Server, clients: number): { ask(asking: Asking): Promise<number>; close(): void } {
  const { ca, cert, key, port } = server;
  const agent = new Agent({ keepAlive: true, maxSockets: clients, ca, cert, key });
  const ask = ({ method, path, body, accept = "application/json" }: Asking): Promise<number> =>
    new Promise((resolve, reject) => {
      const headers = {
        accept,
        "user-agent": "bench/1",
        ...(body === undefined
          ? {}
          : { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
      };
      const request = httpsRequest({ agent, host: "127.0.0.1", port, method, path, headers }, (response) => {
        let size = 0;
        let text = "";
        const isWrong = (response.statusCode ?? 0) >= 400;
        response.on("data", (chunk: Buffer) => {
          size += chunk.length;
          if (isWrong) text += chunk.toString();
        });
        response.on("end", () => (isWrong ? reject(new Error(text)) : resolve(size)));
        response.on("error", reject);
      });
      request.on("error", reject);
      request.end(body);
    });
  return { ask, close: () => agent.destroy() };
}

export interface Measured {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of the server, per request. */
  readonly cpuMs: number;
}

/** `clients` at once for `seconds`, each asking anew as soon as it is answered, after a quarter of that time to warm up. */
export async function measure(
  server: Server,
  { clients, seconds, asking }: { readonly clients: number; readonly seconds: number; readonly asking: () => Asking },
): Promise<Measured> {
  const client = createClient(server, clients);
  const run = async (forMs: number, times: number[]): Promise<void> => {
    const end = performance.now() + forMs;
    const loop = async (): Promise<void> => {
      for (let now = performance.now(); now < end;) {
        // oxlint-disable-next-line no-await-in-loop -- a client waits for its answer
        await client.ask(asking());
        const after = performance.now();
        times.push(after - now);
        now = after;
      }
    };
    await Promise.all(Array.from({ length: clients }, loop));
  };
  await run(seconds * 250, []);
  const times: number[] = [];
  const before = await server.usage();
  const began = performance.now();
  await run(seconds * 1000, times);
  const took = performance.now() - began;
  const after = await server.usage();
  client.close();
  return {
    perSecond: (times.length * 1000) / took,
    ...percentiles(times),
    cpuMs: (after.cpuMs - before.cpuMs) / times.length,
  };
}

export function percentiles(times: readonly number[]): { readonly p50Ms: number; readonly p99Ms: number } {
  const sorted = Float64Array.from(times).toSorted();
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}
