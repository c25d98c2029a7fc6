import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { test } from "node:test";
import { httpGet } from "./http-get.ts";
import type { ProbeTarget } from "./target.ts";

const cases: readonly (readonly [what: string, answer: string, isSuccess: boolean, output: string | RegExp])[] = [
  ["a page", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", true, "ok"],
  ["a redirection", "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", true, ""],
  ["a failure", "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", false, "HTTP probe failed with statuscode: 500"],
  [
    "an upgrade that nobody asked for",
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
    false,
    "HTTP probe failed with statuscode: 101",
  ],
  ["no HTTP", "what?\r\n\r\n", false, /^Get "http:\/\/127\.0\.0\.1:\d+\/": /],
  ["nothing", "", false, /^Get "http:\/\/127\.0\.0\.1:\d+\/": /],
];

for (const [what, answer, isSuccess, output] of cases) {
  test(`httpGet() judges a server that answers with ${what}`, { timeout: 20_000 }, async () => {
    const server = createServer((socket) => {
      socket.on("error", () => socket.destroy());
      socket.once("data", () => socket.end(answer));
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    const target: ProbeTarget = {
      container: { name: "web" },
      containerId: "1",
      podIp: "127.0.0.1",
      dial: async (host, at) => {
        const socket = connect(at, host);
        await once(socket, "connect");
        return socket;
      },
      execSync: async () => await Promise.reject(new Error("not asked")),
    };
    try {
      const result = await httpGet({ port }, target, new AbortController().signal);
      assert.equal(result.isSuccess, isSuccess);
      if (typeof output === "string") assert.equal(result.output, output);
      else assert.match(result.output, output);
    } finally {
      server.close();
    }
  });
}
