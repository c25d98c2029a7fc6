/**
 * From the command to a cluster that serves, pods, memory and the end, each beside a floor measured in the same run.
 * Clusters are made with the user's own commands in folders of their own. `npm run bench -- boot [ROUNDS]`.
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Pod } from "../src/api/generated/types.ts";
import { resources } from "../src/api/resources.ts";
import { type ApiClient, createHttpsClient } from "../src/client/index.ts";
import { readKubeconfig } from "../src/machinery/kubeconfig/index.ts";
import { median, printTable } from "./_table.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const entry = join(root, "bin/netloom.mjs");

interface Round {
  /** Until `netloom up` returns: the DNS pods are ready and the kubeconfig is merged. */
  readonly bootMs: number;
  /** Until a pod made after that has its answer to a question. */
  readonly answerMs: number;
  readonly nodesReadyMs: number;
  readonly podMs: number;
  readonly thirtyPodsMs: number;
  readonly pssMegabytes: number;
  readonly downMs: number;
}

export async function run([rounds = "5"]: readonly string[]): Promise<void> {
  const results: Round[] = [];
  spawnSync(process.execPath, [entry, "version"]);
  for (let round = 0; round < Number(rounds); round += 1) results.push(await measure());
  const floors = measureFloors(Number(rounds));
  const of = (key: keyof Round): number => median(results.map((result) => result[key]));
  const row = (what: string, key: keyof Round, target: string, floor: readonly [string, number]): readonly string[] => {
    const unit = key === "pssMegabytes" ? "MB" : "ms";
    const value = of(key);
    const ratio = (value / floor[1]).toFixed(1);
    return [what, `${Math.round(value)} ${unit}`, target, `${floor[0]}: ${floor[1].toFixed(1)} ${unit}`, `${ratio}x`];
  };
  console.log(
    `${rounds} rounds, medians; ${cpus().length} cores, ${cpus()[0]?.model ?? "unknown processor"}, Node ${process.version}\n`,
  );
  printTable(
    ["what", "netloom", "to reach", "floor", "ratio"],
    [
      row("command to three nodes Ready", "nodesReadyMs", "", ["empty Node start", floors.nodeStart]),
      row("command to netloom up's end", "bootMs", "", ["empty Node start", floors.nodeStart]),
      row("command to a DNS answer inside a new pod", "answerMs", "2 s", ["empty Node start", floors.nodeStart]),
      row("API create to Ready, one pod", "podMs", "60 ms", ["crun run", floors.crunRun]),
      row("30 pods on 3 nodes", "thirtyPodsMs", "2 s", ["30 x crun run", floors.crunRun * 30]),
      row("memory of all processes (PSS)", "pssMegabytes", "350 MB", ["empty Node", floors.nodePss]),
      row("down", "downMs", "1 s", ["a bare namespace, made and removed", floors.namespace]),
    ],
  );
}

async function measure(): Promise<Round> {
  const folder = mkdtempSync(join(tmpdir(), "nlb-"));
  const env = {
    ...process.env,
    XDG_STATE_HOME: join(folder, "s"),
    XDG_RUNTIME_DIR: join(folder, "r"),
    KUBECONFIG: join(folder, "kubeconfig"),
  };
  try {
    const started = performance.now();
    const up = await command(["up"], env);
    const bootMs = performance.now() - started;
    const nodesReadyMs = Number(/nodes Ready \([^)]*?(\d+) ms\)/.exec(up)?.[1]);
    const client = createHttpsClient(await readKubeconfig(join(folder, "kubeconfig")));
    await untilAnswered(client);
    const answerMs = performance.now() - started;
    const podMs = await untilReady(client, ["one"]);
    const thirtyPodsMs = await untilReady(
      client,
      Array.from({ length: 30 }, (_, index) => `many-${index}`),
    );
    const pssMegabytes = clusterPss(folder);
    const downStarted = performance.now();
    await command(["down"], env);
    return {
      bootMs,
      answerMs,
      nodesReadyMs,
      podMs,
      thirtyPodsMs,
      pssMegabytes,
      downMs: performance.now() - downStarted,
    };
  } finally {
    await command(["down"], env);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs netloom and resolves with what it wrote to stderr; rejects when it fails. */
async function command(args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  return await new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [entry, ...args], { env, stdio: ["ignore", "ignore", "pipe"] });
    let text = "";
    child.stderr.on("data", (chunk: Buffer) => (text += chunk.toString()));
    child.once("error", reject);
    child.once("close", (code) =>
      code === 0 ? resolve(text) : reject(new Error(`netloom ${args.join(" ")}: exit code ${code}\n${text}`)),
    );
  });
}

/** Creates busybox pods and resolves with the milliseconds until the last of them is Ready. */
async function untilReady(client: ApiClient, names: readonly string[]): Promise<number> {
  return await untilAll(
    client,
    names.map((name) => busybox(name, ["sleep", "1000"])),
    isReady,
  );
}

/** Creates a pod that asks for a name, and resolves when it has ended well. */
async function untilAnswered(client: ApiClient): Promise<void> {
  const question = busybox("question", ["nslookup", "kubernetes.default.svc.cluster.local"]);
  await untilAll(client, [question], ({ status }) => status?.phase === "Succeeded");
}

const isReady = ({ status }: Pod): boolean =>
  status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True") === true;

/** Creates the pods and resolves with the milliseconds until each of them was seen as wanted. */
async function untilAll(client: ApiClient, pods: readonly Pod[], isWanted: (pod: Pod) => boolean): Promise<number> {
  const stop = new AbortController();
  const waiting = new Set(pods.map(({ metadata }) => metadata?.name));
  const { metadata } = await client.list(resources.pods, { namespace: "default" });
  const watch = client.watch(resources.pods, {
    namespace: "default",
    signal: stop.signal,
    ...(metadata?.resourceVersion === undefined ? {} : { resourceVersion: metadata.resourceVersion }),
  });
  const started = performance.now();
  const created = Promise.all(pods.map(async (pod) => await client.create(resources.pods, pod)));
  for await (const event of watch) {
    if (event.type === "MODIFIED" && isWanted(event.object)) waiting.delete(event.object.metadata?.name ?? "");
    if (waiting.size === 0) break;
  }
  const took = performance.now() - started;
  stop.abort();
  await created;
  return took;
}

const busybox = (name: string, argv: readonly string[]): Pod => ({
  metadata: { name, namespace: "default" },
  spec: {
    restartPolicy: "OnFailure",
    terminationGracePeriodSeconds: 0,
    containers: [{ name: "main", image: "busybox", command: argv }],
  },
});

/** Every process whose command line or environment belongs to the cluster in `folder`, by its proportional share. */
function clusterPss(folder: string): number {
  let kilobytes = 0;
  const supervisor = JSON.parse(readFileSync(join(folder, "r/netloom/netloom/supervisor.json"), "utf8")) as {
    pid: number;
  };
  for (const pid of descendants(supervisor.pid)) {
    try {
      kilobytes += Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1] ?? 0);
    } catch {
      // It ended meanwhile.
    }
  }
  return kilobytes / 1024;
}

function descendants(pid: number): readonly number[] {
  const parents = new Map<number, number[]>();
  for (const name of readdirSync("/proc").filter((entryName) => /^\d+$/.test(entryName))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      parents.set(parent, [...(parents.get(parent) ?? []), Number(name)]);
    } catch {
      // It ended meanwhile.
    }
  }
  const walk = (one: number): number[] => [one, ...(parents.get(one) ?? []).flatMap(walk)];
  return walk(pid);
}

function measureFloors(rounds: number): { nodeStart: number; nodePss: number; crunRun: number; namespace: number } {
  const times = (count: number, work: () => void): number =>
    median(
      Array.from({ length: count }, () => {
        const started = performance.now();
        work();
        return performance.now() - started;
      }),
    );
  const nodeStart = times(rounds * 2, () => void spawnSync(process.execPath, ["-e", "0"]));
  const pss = spawnSync(
    process.execPath,
    ["-e", "console.log(require('fs').readFileSync('/proc/self/smaps_rollup','utf8'))"],
    { encoding: "utf8" },
  );
  const nodePss = Number(/^Pss:\s+(\d+) kB/m.exec(pss.stdout)?.[1] ?? 0) / 1024;
  const namespace = times(rounds * 2, () => void spawnSync("unshare", ["--net", "true"]));
  return { nodeStart, nodePss, crunRun: crunFloor(rounds * 2), namespace };
}

/** `crun run` of `true` with a static busybox, in a mount namespace where it finds no cgroups. */
function crunFloor(rounds: number): number {
  const bundle = mkdtempSync(join(tmpdir(), "nlc-"));
  for (const folder of ["bin", "dev", "proc"]) mkdirSync(join(bundle, "rootfs", folder), { recursive: true });
  spawnSync("cp", ["/bin/busybox", join(bundle, "rootfs/bin/true")]);
  const config = {
    ociVersion: "1.0.0",
    process: { cwd: "/", args: ["/bin/true"], user: { uid: 0, gid: 0 } },
    root: { path: "rootfs" },
    linux: { namespaces: ["pid", "mount", "network", "ipc", "uts"].map((type) => ({ type })) },
    mounts: [{ destination: "/proc", type: "proc", source: "proc" }],
  };
  writeFileSync(join(bundle, "config.json"), JSON.stringify(config));
  const script = `mount -t tmpfs none /sys/fs/cgroup; for i in $(seq ${rounds}); do s=$(date +%s%N); crun --cgroup-manager=disabled run -b ${bundle} floor-$$-$i || exit 1; e=$(date +%s%N); echo $(( (e - s) / 1000 )); done`;
  const output = spawnSync("unshare", ["--mount", "sh", "-c", script], { encoding: "utf8" });
  rmSync(bundle, { recursive: true, force: true });
  if (output.status !== 0) throw new Error(`Cannot measure crun run: ${output.stderr}`);
  return median(output.stdout.trim().split("\n").map(Number)) / 1000;
}
