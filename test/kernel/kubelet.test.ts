/**
 * The kubelet over the real container runtime, spoken to by the real kubectl through a small API server that only shows
 * the pod and tunnels to the kubelet.
 */
import assert from "node:assert/strict";
import { execFile, execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:https";
import type { IncomingMessage } from "node:http";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { connect as tlsConnect } from "node:tls";
import type { Pod } from "../../src/api/generated/types.ts";
import { resources } from "../../src/api/resources.ts";
import { createFakeApiClient } from "../../src/client/index.ts";
import { answeringReviews } from "../../src/components/kubelet/testing.ts";
import { createKubelet } from "../../src/components/kubelet/index.ts";
import { composeNodeRoot, createContainerRuntime, prepareContainerHost } from "../../src/container/index.ts";
import {
  adoptConnectingSocket,
  bindTcpSocket,
  connectTcpSocket,
  createNetworkNamespace,
  openNetworkNamespace,
  removeNetworkNamespace,
} from "../../src/kernel/netns/index.ts";
import { systemClock as clock } from "../../src/machinery/clock.ts";
import { mount, unmount } from "../../src/machinery/libc/index.ts";
import { silentLogger as log } from "../../src/machinery/log.ts";
import { issueCertificate } from "../../src/machinery/pki/index.ts";
import { clusterPaths, type NodeConfig } from "../../src/model/cluster-config.ts";
import { kubectls } from "../cluster/lab/index.ts";
import { inNamespaces } from "./in-namespaces.ts";
import { exampleCluster } from "../../src/model/cluster-plan/index.ts";
import { patience } from "../patience.ts";

const kubeletPort = 10_250;
/**
 * The oldest and the newest kubectl of the machine, and those where the protocols change: 1.20 knows only SPDY with v4,
 * 1.30 tunnels port-forward, 1.31 tries WebSocket with v5 first.
 */
function chosenKubectls(): readonly string[] {
  const all = kubectls();
  const changing = new Set([all[0]?.version, "1.29", "1.30", "1.31", all.at(-1)?.version]);
  return all.filter(({ version }) => changing.has(version)).map(({ path }) => path);
}

async function waitFor<T>(what: string, look: () => T | undefined): Promise<T> {
  const deadline = Date.now() + 5000 * patience;
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    assert.ok(Date.now() < deadline, `${what} in time`);
    await clock.sleep(5);
  }
}

async function startLab() {
  const folder = mkdtempSync(join(tmpdir(), "netloom-kubelet-"));
  const config = exampleCluster(folder, {
    stateDir: join(folder, "state"),
    runDir: join(folder, "run"),
    toolsDir: "/nonexistent",
    nodes: [],
  });
  const node: NodeConfig = {
    name: "node-1",
    addresses: ["127.0.0.1"],
    podCidrs: ["10.244.1.0/24"],
    loopbackAddress: "127.60.0.1",
  };
  const paths = clusterPaths(config);
  mkdirSync(paths.private, { recursive: true });
  mount({ source: "tmpfs", target: paths.private, type: "tmpfs" });
  mkdirSync(paths.netns);
  execFileSync("ip", ["link", "set", "lo", "up"]);
  composeNodeRoot({ config, node });

  const now = Date.now();
  const validDays = 1;
  const ca = issueCertificate({ commonName: "ca", usage: "ca", validDays }, { issuer: undefined, now });
  const server = issueCertificate(
    { commonName: "server", usage: "server", ipAddresses: ["127.0.0.1"], validDays },
    { issuer: ca, now },
  );
  const caller = issueCertificate({ commonName: "apiserver", usage: "client", validDays }, { issuer: ca, now });

  const runtime = createContainerRuntime({ config, node, clock, log });
  const fake = createFakeApiClient();
  const client = { ...fake, create: answeringReviews(fake) };
  const attached = new Map<string, { uid: string; netnsPath: string; ips: readonly string[] }>();
  const kubelet = createKubelet({
    config,
    node,
    client,
    runtime,
    network: {
      attach: ({ uid }) => {
        const netnsPath = join(paths.netns, `pod-${uid}`);
        createNetworkNamespace(netnsPath).close();
        execFileSync("nsenter", [`--net=${netnsPath}`, "ip", "link", "set", "lo", "up"]);
        const attachment = { uid, netnsPath, ips: ["127.0.0.1"] };
        attached.set(uid, attachment);
        return Promise.resolve(attachment);
      },
      detach: ({ uid }) => {
        if (attached.delete(uid)) removeNetworkNamespace(join(paths.netns, `pod-${uid}`));
        return Promise.resolve();
      },
      list: () => [...attached.values()],
    },
    nodeNetnsPath: "/proc/self/ns/net",
    sockets: {
      dial: ({ netnsPath, address, port, signal }) => {
        const namespace = openNetworkNamespace(netnsPath);
        const fd = namespace.run(() => connectTcpSocket({ address, port }));
        namespace.close();
        return adoptConnectingSocket(fd, signal);
      },
      bind: ({ address, port }) => bindTcpSocket({ address, port }),
    },
    serving: { certificate: server.certificate, key: server.key, clientCa: ca.certificate, port: kubeletPort },
    nodeRoot: paths.nodeRoot(node.name),
    isControlPlane: true,
    log,
    clock,
  });
  const stop = new AbortController();
  const running = kubelet.run(stop.signal);
  await Promise.race([kubelet.ready, running]);
  const front = createServer({ cert: server.certificate, key: server.key });
  tunnel(front, client, { cert: caller.certificate, key: caller.key, ca: ca.certificate });
  await new Promise<void>((resolve) => {
    front.listen(0, "127.0.0.1", resolve);
  });
  const kubeconfig = join(folder, "kubeconfig");
  const { port } = front.address() as AddressInfo;
  writeFileSync(kubeconfig, kubeconfigFor(port));
  return {
    client,
    kubeconfig,
    run: async (pod: Pod): Promise<void> => {
      const key = { namespace: "default", name: pod.metadata?.name ?? "" };
      await client.create(resources.pods, {
        ...pod,
        metadata: { namespace: "default", ...pod.metadata },
        spec: {
          containers: [],
          restartPolicy: "Always",
          nodeName: "node-1",
          terminationGracePeriodSeconds: 1,
          ...pod.spec,
        },
      });
      await waitFor(`pod ${key.name} runs`, () =>
        client.peek(resources.pods, key)?.status?.phase === "Running" ? true : undefined,
      );
    },
    close: async (): Promise<void> => {
      for (const { metadata } of client.peekAll(resources.pods)) {
        const key = { namespace: "default", name: metadata?.name ?? "" };
        await client.delete(resources.pods, key, { gracePeriodSeconds: 1 });
      }
      await waitFor("all pods end", () => (client.peekAll(resources.pods).length === 0 ? true : undefined));
      assert.equal(attached.size, 0);
      front.closeAllConnections();
      front.close();
      stop.abort();
      await running;
      assert.deepEqual(await runtime.list(), []);
      runtime.close();
      unmount(paths.private, { isLazy: true });
      rmSync(folder, { recursive: true });
    },
  };
}

function kubeconfigFor(port: number): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "c", cluster: { server: `https://127.0.0.1:${port}`, "insecure-skip-tls-verify": true } }],
    users: [{ name: "u", user: { token: "t" } }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u", namespace: "default" } }],
    "current-context": "x",
  });
}

const subresources: Readonly<Record<string, string>> = { log: "containerLogs", portforward: "portForward" };

/** The path of the kubelet's API for a path of the API server, with the query rewritten as upstream does. */
function kubeletPath(url: URL, client: ReturnType<typeof createFakeApiClient>): string {
  const [, , , , namespace = "", , name = "", subresource = ""] = url.pathname.split("/");
  const pod = client.peek(resources.pods, { namespace, name });
  const query = new URLSearchParams();
  const names: Readonly<Record<string, string>> = { stdin: "input", stdout: "output", stderr: "error" };
  for (const [key, value] of url.searchParams) {
    if (key !== "container") query.append(names[key] ?? key, value === "true" && key !== "follow" ? "1" : value);
  }
  const container = url.searchParams.get("container") ?? pod?.spec?.containers[0]?.name ?? "";
  const verb = subresources[subresource] ?? subresource;
  const base = `/${verb}/${namespace}/${name}`;
  return `${verb === "portForward" ? base : `${base}/${container}`}?${query.toString()}`;
}

function tunnel(
  front: ReturnType<typeof createServer>,
  client: ReturnType<typeof createFakeApiClient>,
  identity: { readonly cert: string; readonly key: string; readonly ca: string },
): void {
  const target = { host: "127.0.0.1", port: kubeletPort, ...identity };
  const urlOf = (given: IncomingMessage): URL => new URL(given.url ?? "", "https://x");
  front.on("request", (given, response) => {
    const url = urlOf(given);
    const json = (body: unknown): void => {
      response.writeHead(200, { "Content-Type": "application/json" });
      response.end(JSON.stringify(body));
    };
    const [, , , , namespace = "", , name = "", subresource] = url.pathname.split("/");
    if (url.pathname === "/api") json({ kind: "APIVersions", versions: ["v1"] });
    else if (url.pathname === "/apis") json({ kind: "APIGroupList", apiVersion: "v1", groups: [] });
    else if (url.pathname === "/api/v1") {
      const pods = { name: "pods", singularName: "pod", namespaced: true, kind: "Pod", verbs: ["get", "list"] };
      json({ kind: "APIResourceList", groupVersion: "v1", resources: [pods] });
    } else if (subresource === undefined) {
      json(client.peek(resources.pods, { namespace, name }));
    } else {
      request({ ...target, path: kubeletPath(url, client), agent: false }, (answer) => {
        response.writeHead(answer.statusCode ?? 500, { "Content-Type": "text/plain" });
        answer.pipe(response);
      }).end();
    }
  });
  front.on("upgrade", (given: IncomingMessage, socket: Duplex, head: Buffer) => {
    const upstream = tlsConnect(target);
    const lines = [`${given.method} ${kubeletPath(urlOf(given), client)} HTTP/1.1`];
    for (let at = 0; at < given.rawHeaders.length; at += 2)
      lines.push(`${given.rawHeaders[at]}: ${given.rawHeaders[at + 1]}`);
    upstream.write(`${lines.join("\r\n")}\r\n\r\n`);
    upstream.write(head);
    upstream.pipe(socket).pipe(upstream);
    for (const end of [upstream, socket]) end.on("error", () => undefined);
    upstream.on("close", () => socket.destroy());
    socket.on("close", () => upstream.destroy());
  });
}

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(program: string, args: readonly string[], input = ""): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(program, [...args], { timeout: 10_000 * patience }, (error, stdout, stderr) => {
      const code = typeof error?.code === "number" ? error.code : error === null ? 0 : -1;
      resolve({ code, stdout, stderr });
    });
    child.stdin?.end(input);
  });
}

const main = { name: "main", image: "busybox" };

inNamespaces(
  import.meta.url,
  (mode) => {
    prepareContainerHost();
    describe(`kubelet with crun (${mode})`, () => {
      let lab: Awaited<ReturnType<typeof startLab>>;
      before(async () => {
        lab = await startLab();
        await lab.run({
          metadata: { name: "box" },
          spec: { containers: [{ ...main, command: ["sh", "-c", "echo started; exec sleep 1000"] }] },
        });
        await lab.run({
          metadata: { name: "web" },
          spec: {
            containers: [
              {
                ...main,
                command: ["sh", "-c", "mkdir /w; echo hello > /w/index.html; exec httpd -f -p 127.0.0.1:8080 -h /w"],
              },
            ],
          },
        });
      });
      after(() => lab.close());

      for (const [index, kubectl] of chosenKubectls().entries()) {
        const call = (args: readonly string[], input?: string): Promise<Outcome> =>
          run(kubectl, ["--kubeconfig", lab.kubeconfig, ...args], input);

        test(`${kubectl}: exec tells output, error output and exit code`, async () => {
          const { code, stdout, stderr } = await call([
            "exec",
            "box",
            "--",
            "sh",
            "-c",
            "echo out; echo err >&2; exit 7",
          ]);
          assert.deepEqual([code, stdout], [7, "out\n"]);
          assert.equal(stderr, "err\ncommand terminated with exit code 7\n");
        });

        test(`${kubectl}: exec -i passes a megabyte through and sees its end`, async () => {
          const input = "0123456789abcdef".repeat(1 << 16);
          const { code, stdout } = await call(["exec", "-i", "box", "--", "sh", "-c", "cat"], input);
          assert.equal(code, 0);
          assert.ok(stdout === input, `${stdout.length} of ${input.length} bytes came back`);
        });

        test(`${kubectl}: exec -it has a terminal of the client's size`, async () => {
          const inner = `stty rows 33 cols 99; ${kubectl} --kubeconfig ${lab.kubeconfig} exec -it box -- sh -c 'sleep 0.2; stty size'`;
          const { stdout } = await run("script", ["-qec", inner, "/dev/null"]);
          assert.match(stdout, /33 99/);
        });

        test(`${kubectl}: logs`, async () => {
          assert.equal((await call(["logs", "box"])).stdout, "started\n");
        });

        test(`${kubectl}: exec of a program that is not there fails`, async () => {
          const { code, stderr } = await call(["exec", "box", "--", "nonsense"]);
          assert.notEqual(code, 0);
          assert.match(stderr, /nonsense/);
        });

        test(`${kubectl}: attach -it reaches the shell, ctrl-D ends it and the session`, async () => {
          const name = `term-${index}`;
          await lab.run({
            metadata: { name },
            spec: { containers: [{ ...main, command: ["sh"], stdin: true, tty: true }] },
          });
          const attach = `${kubectl} --kubeconfig ${lab.kubeconfig} attach -it ${name}`;
          const child = spawn("script", ["-qec", attach, "/dev/null"], { timeout: 8000 * patience });
          let output = "";
          child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
          const ended = new Promise((resolve) => {
            child.on("exit", resolve);
          });
          try {
            // Also what is typed before the session is there arrives.
            child.stdin.write("echo a$((40+2))b\n");
            await waitFor("the shell answers", () => (output.includes("a42b") ? true : undefined));
            child.stdin.write("\u0004");
            assert.equal(await ended, 0);
          } catch (error) {
            throw new Error(`attach said ${JSON.stringify(output)}`, { cause: error });
          } finally {
            child.kill();
          }
        });

        test(`${kubectl}: port-forward`, async () => {
          const child = spawn(kubectl, ["--kubeconfig", lab.kubeconfig, "port-forward", "pod/web", ":8080"]);
          let output = "";
          child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
          child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
          try {
            const port = await waitFor("port-forward listens", () => /127\.0\.0\.1:(\d+)/.exec(output)?.[1]);
            const answers = await Promise.all([1, 2, 3].map(() => get(Number(port))));
            for (const answer of answers) assert.match(answer, /hello/);
          } catch (error) {
            throw new Error(`port-forward said ${JSON.stringify(output)}`, { cause: error });
          } finally {
            child.kill();
          }
        });
      }
    });
  },
  { hasOwnProcesses: true },
);

function get(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port });
    let text = "";
    socket.on("data", (chunk) => (text += chunk.toString()));
    socket.on("end", () => resolve(text));
    socket.on("error", reject);
    socket.setTimeout(5000 * patience, () => socket.destroy(new Error(`timeout after ${JSON.stringify(text)}`)));
    socket.write("GET / HTTP/1.0\r\n\r\n");
  });
}
