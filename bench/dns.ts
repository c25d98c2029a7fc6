/** What a DNS question costs: CPU of the server per question, beside an echo in Node and the resolvers of the machine. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createSocket } from "node:dgram";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { encodeMessage, queryMessage, recordTypes } from "../src/lib/dns-message/index.ts";
import { lookUpTool } from "../src/machinery/tools.ts";
import { printTable } from "./_table.ts";

const services = 1000;
/** Questions under way at once. */
const window = 64;
const ticksPerSecond = 100;
const script = fileURLToPath(new URL("_dns-server.ts", import.meta.url));

interface Case {
  readonly name: string;
  readonly question: (index: number) => Buffer;
}

const cases: readonly Case[] = [
  { name: "one service", question: (index) => question(index, "web-1.default.svc.cluster.local.") },
  { name: `${services} services in turn`, question: (index) => question(index, serviceName(index)) },
  { name: "headless, 4 endpoints", question: (index) => question(index, "headless.default.svc.cluster.local.") },
  {
    name: "no such name",
    question: (index) => question(index, "web-1.default.svc.cluster.local.default.svc.cluster.local."),
  },
  { name: "with a cookie (never the same)", question: (index) => question(index, serviceName(index), cookie(index)) },
];

interface Measured {
  readonly cpuMicroseconds: number;
  readonly perSecond: number;
}

/** @param args - `--questions N` (100000): per case. */
export async function run(args: readonly string[]): Promise<void> {
  const at = args.indexOf("--questions");
  const count = at < 0 ? 100_000 : Number(args[at + 1]);
  const servers: readonly (readonly [string, (port: number) => ChildProcess])[] = [
    ["echo in Node (floor)", (port) => spawn(process.execPath, [script, "echo", String(port)])],
    ["netloom cluster-dns", (port) => spawn(process.execPath, [script, "netloom", String(port), String(services)])],
    ...dnsmasq(),
  ];
  console.log(`${count} questions per case, ${window} under way; CPU of the server's process, user and system\n`);
  const rows: string[][] = [];
  for (const [index, [name, start]] of servers.entries()) {
    const port = 25_300 + index;
    const server = start(port);
    try {
      await untilAnswering(port);
      for (const { name: what, question: make } of cases) {
        // The first tenth warms up.
        await ask({ port, count: count / 10, make, pid: server.pid ?? 0 });
        const { cpuMicroseconds, perSecond } = await ask({ port, count, make, pid: server.pid ?? 0 });
        rows.push([name, what, `${cpuMicroseconds.toFixed(1)} µs`, Math.round(perSecond).toLocaleString("en")]);
      }
    } finally {
      server.kill();
    }
  }
  printTable(["server", "question", "CPU per question", "questions/s"], rows);
}

function serviceName(index: number): string {
  return `web-${index % services}.default.svc.cluster.local.`;
}

function cookie(index: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE(index);
  return bytes;
}

function question(index: number, name: string, withCookie?: Buffer): Buffer {
  const edns =
    withCookie === undefined
      ? undefined
      : { udpPayloadBytes: 1232, version: 0, isDnssecOk: false, options: [{ code: 10, bytes: withCookie }] };
  return encodeMessage(queryMessage({ id: index & 0xffff, name, type: recordTypes.A, edns }));
}

/** The machine's dnsmasq, where it has one, with the same names. */
function dnsmasq(): readonly (readonly [string, (port: number) => ChildProcess])[] {
  const tool = lookUpTool("dnsmasq", "/nonexistent");
  if (tool === undefined) return [];
  const records = Array.from({ length: services }, (_, index) => {
    const name = serviceName(index).slice(0, -1);
    return `--host-record=${name},10.96.${Math.floor(index / 250)}.${1 + (index % 250)}`;
  });
  const fixed = [
    "--no-daemon",
    "--conf-file=/dev/null",
    "--no-resolv",
    "--no-hosts",
    "--bind-interfaces",
    "--local=/local/",
  ];
  return [
    ["dnsmasq", (port) => spawn(tool.path, [...fixed, "--listen-address=127.0.0.1", `--port=${port}`, ...records])],
  ];
}

interface Run {
  readonly port: number;
  readonly count: number;
  readonly make: (index: number) => Buffer;
  readonly pid: number;
}

async function ask({ port, count, make, pid }: Run): Promise<Measured> {
  const questions = Array.from({ length: Math.min(count, 10_000) }, (_, index) => make(index));
  const before = cpuTicks(pid);
  const startedAt = performance.now();
  await send({ port, count, question: (index) => questions[index % questions.length] ?? Buffer.alloc(0) });
  const seconds = (performance.now() - startedAt) / 1000;
  const cpuSeconds = (cpuTicks(pid) - before) / ticksPerSecond;
  return { cpuMicroseconds: (cpuSeconds * 1e6) / count, perSecond: count / seconds };
}

/** Keeps `window` questions under way; what is lost (none on loopback as long as buffers hold) would stop it: hence the watchdog. */
function send(options: {
  readonly port: number;
  readonly count: number;
  readonly question: (index: number) => Buffer;
}): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = createSocket({ type: "udp4", lookup: (name, _options, callback) => callback(null, name, 4) });
  let sent = 0;
  let received = 0;
  const next = (): void => {
    if (sent >= options.count) return;
    const bytes = options.question(sent);
    sent += 1;
    socket.send(bytes, 0, bytes.length, options.port, "127.0.0.1");
  };
  const watchdog = setTimeout(() => reject(new Error(`lost ${sent - received} of ${sent} questions`)), 60_000);
  socket.on("message", () => {
    received += 1;
    if (received >= options.count) resolve();
    else next();
  });
  socket.bind(0, "127.0.0.1", () => {
    for (let started = 0; started < window; started += 1) next();
  });
  return promise.finally(() => {
    clearTimeout(watchdog);
    socket.close();
  });
}

function cpuTicks(pid: number): number {
  // Behind the command's name, which may hold anything: user and system time are the 14th and 15th field.
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

async function untilAnswering(port: number): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const isAnswered = await new Promise<boolean>((resolve) => {
      const socket = createSocket("udp4");
      const timer = setTimeout(() => resolve(false), 100);
      socket.once("message", () => resolve(true));
      socket.once("error", () => resolve(false));
      socket.connect(port, "127.0.0.1", () => {
        socket.send(question(0, "web-0.default.svc.cluster.local."), () => undefined);
      });
      timer.unref();
    });
    if (isAnswered) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`the server at port ${port} does not answer`);
}
