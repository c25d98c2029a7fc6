import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { NamespaceNetwork } from "../../src/kernel/namespace-network/index.ts";
import type { NetworkNamespace } from "../../src/kernel/network-namespace.ts";
import {
  adoptConnectingSocket,
  bindTcpSocket,
  bindUdpSocket,
  connectTcpSocket,
  createNetworkNamespace,
  isNetworkNamespace,
  NamespaceWorker,
  openNetworkNamespace,
  removeNetworkNamespace,
} from "../../src/kernel/netns/index.ts";
import { readSysctl, writeSysctl } from "../../src/kernel/sysctl/index.ts";
import { emptyPlan, type NetworkPlan } from "../../src/model/network-state/index.ts";
import type { BuildOptions } from "esbuild";
import { inNamespaces } from "./in-namespaces.ts";

const repository = join(import.meta.dirname, "../..");
const loopbackUp: NetworkPlan = {
  ...emptyPlan,
  links: [{ type: "loopback", name: "lo", cause: { kind: "Test", name: "lo" } }],
};

function threadNamespace(): string {
  return readlinkSync("/proc/thread-self/ns/net");
}

function inRepository(path: string): string {
  return JSON.stringify(join(repository, path));
}

/** Runs `work` inside the namespace in a new process, starts the pool after, and looks where its threads are. */
function poolNamespaces(netnsPath: string, work: string): unknown {
  const script = `
        const { closeSync, readFile, readdirSync, readFileSync, readlinkSync } = require("node:fs");
        const { bindTcpSocket, bindUdpSocket, openNetworkNamespace } = require(${inRepository("src/kernel/netns/index.ts")});
        const { NamespaceNetwork } = require(${inRepository("src/kernel/namespace-network/index.ts")});
        const { emptyPlan } = require(${inRepository("src/model/network-state/index.ts")});
        const pool = () => readdirSync("/proc/self/task").filter((task) =>
          readFileSync("/proc/self/task/" + task + "/comm", "utf8").startsWith("libuv-worker"));
        if (pool().length > 0) throw new Error("the pool runs already, this proves nothing");
        const home = readlinkSync("/proc/thread-self/ns/net");
        const namespace = openNetworkNamespace(process.argv[1]);
        namespace.run(() => { ${work} });
        readFile("/proc/self/stat", () => {
          const places = pool().map((task) => readlinkSync("/proc/self/task/" + task + "/ns/net"));
          if (places.length === 0) throw new Error("no pool threads were found");
          console.log(JSON.stringify({ isAtHome: places.every((place) => place === home) }));
          process.exit();
        });`;
  const output = execFileSync(process.execPath, ["--input-type=commonjs", "-e", script, netnsPath], {
    encoding: "utf8",
  });
  return JSON.parse(output);
}

inNamespaces(import.meta.url, (mode) => {
  const dir = mkdtempSync(join(tmpdir(), "netloom-netns-"));
  let namespace: NetworkNamespace;

  before(() => {
    namespace = createNetworkNamespace(`${dir}/web`);
    const network = new NamespaceNetwork(namespace, "labNetwork");
    network.reconcile(loopbackUp);
    network.close();
  });

  after(() => {
    namespace.close();
    removeNetworkNamespace(`${dir}/web`);
    rmSync(dir, { recursive: true });
  });

  describe(`network namespaces (${mode})`, () => {
    test("run() enters the namespace and returns home, nested and after a throw", () => {
      const home = threadNamespace();
      const inside = namespace.run(threadNamespace);
      assert.notEqual(inside, home);
      const other = createNetworkNamespace(`${dir}/other`);
      namespace.run(() => {
        assert.notEqual(other.run(threadNamespace), inside);
        assert.equal(threadNamespace(), inside);
        assert.throws(() => other.run(() => assert.fail("on purpose")), /on purpose/);
        assert.equal(threadNamespace(), inside);
      });
      assert.equal(threadNamespace(), home);
      other.close();
      removeNetworkNamespace(`${dir}/other`);
      assert.ok(!existsSync(`${dir}/other`));
    });

    test("run() refuses asynchronous work, which would go on in the wrong namespace", () => {
      assert.throws(() => namespace.run(() => Promise.resolve()), { code: "AsynchronousWork" });
    });

    test("a namespace found by its path is the same, until it is removed", () => {
      createNetworkNamespace(`${dir}/found`).close();
      const found = openNetworkNamespace(`${dir}/found`);
      found.run(() => writeSysctl("net/ipv4/ip_forward", "1"));
      found.close();
      const again = openNetworkNamespace(`${dir}/found`);
      assert.equal(
        again.run(() => readSysctl("net/ipv4/ip_forward")),
        "1",
      );
      again.close();
      removeNetworkNamespace(`${dir}/found`);
      removeNetworkNamespace(`${dir}/found`);
      assert.throws(() => openNetworkNamespace(`${dir}/found`), { code: "ENOENT" });
    });

    test("a file whose mount is gone is told apart, and removed or used again", () => {
      writeFileSync(`${dir}/stale`, "");
      assert.equal(isNetworkNamespace(`${dir}/stale`), false);
      assert.throws(() => openNetworkNamespace(`${dir}/stale`), {
        code: "EINVAL",
        message: /Cannot open network namespace ".*stale": the file is no namespace/,
      });
      removeNetworkNamespace(`${dir}/stale`);
      assert.ok(!existsSync(`${dir}/stale`));
      writeFileSync(`${dir}/stale`, "");
      createNetworkNamespace(`${dir}/stale`).close();
      assert.equal(isNetworkNamespace(`${dir}/stale`), true);
      assert.throws(() => createNetworkNamespace(`${dir}/stale`), { code: "EEXIST" });
      removeNetworkNamespace(`${dir}/stale`);
      assert.equal(isNetworkNamespace(`${dir}/stale`), false);
    });
  });

  describe(`sockets in a network namespace (${mode})`, () => {
    test("a server listens on a descriptor bound there, also on an address the namespace does not have", async () => {
      const server = createServer((socket) => socket.end("from inside"));
      const fd = namespace.run(() => bindTcpSocket({ address: "192.0.2.1", port: 80 }));
      server.listen({ fd });
      await once(server, "listening");
      server.close();
      await once(server, "close");

      const reachable = createServer((socket) => socket.end("from inside"));
      reachable.listen({ fd: namespace.run(() => bindTcpSocket({ address: "::1", port: 80 })) });
      await once(reachable, "listening");
      const client = namespace.run(() => connectTcpSocket({ address: "::1", port: 80 }));
      assert.equal(await text(await adoptConnectingSocket(client)), "from inside");
      reachable.close();
    });

    test("a refused connection is an ECONNREFUSED, a missing route an ENETUNREACH, a taken port an EADDRINUSE", async () => {
      const refused = namespace.run(() => connectTcpSocket({ address: "127.0.0.1", port: 9 }));
      await assert.rejects(adoptConnectingSocket(refused), { code: "ECONNREFUSED" });
      assert.throws(() => namespace.run(() => connectTcpSocket({ address: "192.0.2.1", port: 9 })), {
        code: "ENETUNREACH",
        message: "Cannot connect to 192.0.2.1:9: ENETUNREACH",
      });
      const server = createServer().listen({
        fd: namespace.run(() => bindTcpSocket({ address: "127.0.0.1", port: 81 })),
      });
      await once(server, "listening");
      assert.throws(() => namespace.run(() => bindTcpSocket({ address: "127.0.0.1", port: 81 })), {
        code: "EADDRINUSE",
      });
      server.close();
    });

    test("connecting ends with the signal", async () => {
      const fd = namespace.run(() => connectTcpSocket({ address: "127.0.0.1", port: 9 }));
      await assert.rejects(
        adoptConnectingSocket(fd, AbortSignal.abort(new Error("no longer wanted"))),
        /no longer wanted/,
      );
    });

    test("datagrams go over a descriptor bound there", async () => {
      const server = createSocket("udp4");
      server.bind({ fd: namespace.run(() => bindUdpSocket({ address: "127.0.0.1", port: 53 })) });
      const client = createSocket("udp4");
      client.bind({ fd: namespace.run(() => bindUdpSocket({ address: "127.0.0.1", port: 0 })) });
      // Given a descriptor, dgram listens at once.
      const received = once(server, "message");
      client.send("question", 53, "127.0.0.1");
      const [message] = (await received) as [Buffer];
      assert.equal(message.toString(), "question");
      server.close();
      client.close();
    });
  });

  describe(`NamespaceWorker (${mode})`, () => {
    test("hands descriptors and connections to a thread that never leaves home", async () => {
      const home = threadNamespace();
      const worker = new NamespaceWorker();
      const server = createServer((socket) => socket.end("by the worker"));
      server.listen({ fd: await worker.bindTcp({ netnsPath: namespace.path, address: "127.0.0.1", port: 82 }) });
      await once(server, "listening");
      const target = { netnsPath: namespace.path, address: "127.0.0.1", port: 82 };
      assert.equal(await text(await worker.connectTcp(target)), "by the worker");
      await assert.rejects(worker.connectTcp({ ...target, port: 83 }), { code: "ECONNREFUSED" });
      await assert.rejects(worker.bindTcp({ ...target, netnsPath: `${dir}/nothing` }), { code: "ENOENT" });
      const datagrams = createSocket("udp4");
      datagrams.bind({ fd: await worker.bindUdp({ ...target, port: 54 }) });
      assert.equal(datagrams.address().port, 54);
      assert.equal(threadNamespace(), home);
      datagrams.close();
      server.close();
      await worker.close();
      await assert.rejects(worker.connectTcp(target), { code: "ECANCELED" });
    });

    test("works in a bundle whose thread is a second entry beside it", async () => {
      const { build } = await import("esbuild");
      const out = mkdtempSync(join(tmpdir(), "netloom-bundle-"));
      symlinkSync(join(repository, "node_modules"), join(out, "node_modules"));
      const main = `
        import { NamespaceWorker } from ${JSON.stringify(join(repository, "src/kernel/netns/index.ts"))};
        const worker = new NamespaceWorker();
        const [netnsPath] = process.argv.slice(2);
        try { await worker.connectTcp({ netnsPath, address: "127.0.0.1", port: 9 }); }
        catch (error) { console.log(error.code); }
        await worker.close();`;
      const settings = {
        bundle: true,
        platform: "node",
        format: "esm",
        external: ["koffi"],
        logLevel: "error",
      } satisfies BuildOptions;
      await build({ ...settings, stdin: { contents: main, resolveDir: repository }, outfile: join(out, "main.js") });
      const thread = join(repository, "src/kernel/netns/namespace-sockets.worker.ts");
      await build({ ...settings, entryPoints: [thread], outfile: join(out, "namespace-sockets.worker.js") });
      writeFileSync(join(out, "package.json"), '{ "type": "module" }');
      const output = execFileSync(process.execPath, [join(out, "main.js"), namespace.path], { encoding: "utf8" });
      rmSync(out, { recursive: true });
      assert.equal(output, "ECONNREFUSED\n");
    });
  });

  describe(`libuv's thread pool (${mode})`, () => {
    // A pool thread is started by the first asynchronous work of the process and stays in that thread's namespace.
    test("starts in the wrong namespace when asynchronous work begins inside run(): the pitfall is real", () =>
      assert.deepEqual(poolNamespaces(namespace.path, "readFile('/proc/self/stat', () => undefined)"), {
        isAtHome: false,
      }));

    test("stays at home with everything that this room does inside run()", () => {
      const work = `
        new NamespaceNetwork(namespace, "podNetwork").reconcile({ ...emptyPlan, links: [{ type: "bridge", name: "br0",
          cause: { kind: "Test", name: "pool" } }], sysctls: [{ key: "net/ipv4/ip_forward", value: "1",
          cause: { kind: "Test", name: "pool" } }] });
        closeSync(bindTcpSocket({ address: "127.0.0.1", port: 84 }));
        closeSync(bindUdpSocket({ address: "127.0.0.1", port: 84 }));`;
      assert.deepEqual(poolNamespaces(namespace.path, work), { isAtHome: true });
    });
  });

  test(`nothing is left mounted (${mode})`, () => {
    assert.deepEqual(
      readdirSync(dir).filter((name) => name !== "web"),
      [],
    );
    const mounts = readFileSync("/proc/self/mounts", "utf8")
      .split("\n")
      .filter((line) => line.includes(dir));
    assert.equal(mounts.length, 1, mounts.join("\n"));
  });
});
