/**
 * Making and removing a pod's network: in-process, as the node agent does it, beside what it takes with `ip` processes
 * (7 of them, and two `ip -batch`), and beside a bare namespace, which nothing can undercut.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isInside, runInside } from "./_inside.ts";
import { median, printTable } from "./_table.ts";
import { createPodNetwork } from "../src/components/cni/index.ts";
import { createNetworkNamespace, removeNetworkNamespace } from "../src/kernel/netns/index.ts";
import { silentLogger } from "../src/machinery/log.ts";
import { clusterPaths, type NodeConfig } from "../src/model/cluster-config.ts";
import { exampleCluster } from "../src/model/cluster-plan/index.ts";

const defaultRounds = 60;

/** `args[0]`: rounds, 60 by default. Prints a table of medians; runs in namespaces of its own, as root or rootless. */
export async function run(args: readonly string[]): Promise<void> {
  if (!isInside) return runInside("sandbox", args);
  const rounds = Number(args[0] ?? defaultRounds);
  const dir = mkdtempSync(join(tmpdir(), "netloom-bench-"));
  try {
    const rows = [
      ["bare namespace", await measure(rounds, bareNamespace(dir))],
      ["in-process (netloom)", await measure(rounds, inProcess(dir))],
      ["2 ip -batch processes", await measure(rounds, withIp(dir, "batch"))],
      ["7 ip processes", await measure(rounds, withIp(dir, "single"))],
    ] as const;
    const floor = rows[0][1].createMs;
    console.log(`Medians of ${rounds} rounds, milliseconds`);
    printTable(
      ["pod network", "create", "to the floor", "remove"],
      rows.map(([name, { createMs, removeMs }]) => [
        name,
        createMs.toFixed(2),
        `${(createMs / floor).toFixed(1)}x`,
        removeMs.toFixed(2),
      ]),
    );
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

interface Contender {
  create(round: number): void | Promise<unknown>;
  remove(round: number): void | Promise<unknown>;
  close(): void | Promise<unknown>;
}

async function measure(rounds: number, contender: Contender) {
  const createMs: number[] = [];
  const removeMs: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    createMs.push(await time(() => contender.create(round)));
    removeMs.push(await time(() => contender.remove(round)));
  }
  await contender.close();
  return { createMs: median(createMs), removeMs: median(removeMs) };
}

async function time(work: () => void | Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function bareNamespace(dir: string): Contender {
  return {
    create: (round) => createNetworkNamespace(`${dir}/bare-${round}`).close(),
    remove: (round) => removeNetworkNamespace(`${dir}/bare-${round}`),
    close: () => undefined,
  };
}

function inProcess(dir: string): Contender {
  const config = exampleCluster(dir, { stateDir: `${dir}/state`, runDir: `${dir}/run`, nodes: [] });
  const node: NodeConfig = {
    name: "node-1",
    addresses: ["192.168.60.11"],
    podCidrs: ["10.244.1.0/24"],
    loopbackAddress: "127.60.0.1",
  };
  const nodePath = `${clusterPaths(config).netns}/node-1`;
  const nodeNamespace = createNetworkNamespace(nodePath);
  const network = createPodNetwork({ config, node, nodeNamespace, stateDir: `${dir}/state/node-1`, log: silentLogger });
  const stop = new AbortController();
  const running = network.run(stop.signal);
  return {
    create: (round) => network.attach({ namespace: "default", name: `pod-${round}`, uid: `uid-${round}` }),
    remove: (round) => network.detach({ uid: `uid-${round}` }),
    close: async () => {
      stop.abort();
      await running;
      nodeNamespace.close();
      removeNetworkNamespace(nodePath);
    },
  };
}

/** The same network by iproute2; namespaces are removed the fast way here too. */
function withIp(dir: string, how: "batch" | "single"): Contender {
  const path = (round: number): string => `${dir}/ip-${how}-${round}`;
  return {
    create: (round) => {
      const host = `v${how}${round}`;
      const namespace = createNetworkNamespace(path(round));
      ipCommands(how, [
        `link add ${host} up mtu 1500 type veth peer name eth0 mtu 1500 netns ${path(round)}`,
        `route add 10.244.3.${round + 2}/32 dev ${host}`,
      ]);
      namespace.run(() =>
        ipCommands(how, [
          "link set lo up",
          "link set eth0 up",
          `address add 10.244.3.${round + 2}/32 dev eth0`,
          "route add 169.254.1.1/32 dev eth0",
          "route add default via 169.254.1.1 dev eth0 onlink",
        ]),
      );
      namespace.close();
    },
    remove: (round) => removeNetworkNamespace(path(round)),
    close: () => undefined,
  };
}

/** In this thread's namespace. */
function ipCommands(how: "batch" | "single", lines: readonly string[]): void {
  if (how === "batch") {
    execFileSync("ip", ["-batch", "-"], { input: lines.join("\n"), stdio: ["pipe", "ignore", "inherit"] });
  } else {
    for (const line of lines) execFileSync("ip", line.split(" "), { stdio: "ignore" });
  }
}
