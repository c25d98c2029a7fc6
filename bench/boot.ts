/**
 * From the command to a cluster that serves, pods, memory and the end, each beside a floor measured in the same run.
 * Clusters are made with the user's own commands in folders of their own.
 *
 *     npm run bench -- boot [ROUNDS]           three nodes, 30 pods
 *     npm run bench -- boot matrix [ROUNDS]    1 to 50 nodes, 0 to 500 pods, stop and start, restarts, commands
 *     npm run bench -- boot matrix 1 50x500    one cell of it: 50 nodes, 500 pods
 */
import { createHttpsClient } from "../src/client/index.ts";
import { readKubeconfig } from "../src/machinery/kubeconfig/index.ts";
import { type Lab, makeLab } from "../test/cluster/lab/index.ts";
import { measureFloors } from "./_boot-floors.ts";
import { runMatrix } from "./_boot-matrix.ts";
import { busybox, untilCreated, untilReady } from "./_pods.ts";
import { partCosts } from "./_processes.ts";
import { median, printMachine, printTable } from "./_table.ts";

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

export async function run(args: readonly string[]): Promise<void> {
  if (args[0] === "matrix") await runMatrix(Number(args[1] ?? "3"), args[2]);
  else await runOne(Number(args[0] ?? "5"));
}

async function runOne(rounds: number): Promise<void> {
  const results: Round[] = [];
  for (let round = 0; round < rounds; round += 1) results.push(await measure());
  const floors = measureFloors(rounds);
  const of = (key: keyof Round): number => median(results.map((result) => result[key]));
  const row = (what: string, key: keyof Round, target: string, floor: readonly [string, number]): readonly string[] => {
    const unit = key === "pssMegabytes" ? "MB" : "ms";
    const value = of(key);
    const ratio = (value / floor[1]).toFixed(1);
    return [what, `${Math.round(value)} ${unit}`, target, `${floor[0]}: ${floor[1].toFixed(1)} ${unit}`, `${ratio}x`];
  };
  printMachine(rounds);
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
  const lab = makeLab();
  try {
    // Also makes the bundle anew where the sources are newer.
    await netloom(lab, ["version"]);
    const started = performance.now();
    const up = await netloom(lab, ["up"]);
    const bootMs = performance.now() - started;
    const nodesReadyMs = Number(/nodes Ready \([^)]*?(\d+) ms\)/.exec(up)?.[1]);
    const client = createHttpsClient(await readKubeconfig(lab.env["KUBECONFIG"] ?? ""));
    const question = busybox("question", ["nslookup", "kubernetes.default.svc.cluster.local"]);
    await untilCreated(client, [question], ({ status }) => status?.phase === "Succeeded");
    const answerMs = performance.now() - started;
    const podMs = await untilReady(client, ["one"]);
    const thirtyPodsMs = await untilReady(
      client,
      Array.from({ length: 30 }, (_, index) => `many-${index}`),
    );
    const costs = Object.values(partCosts(lab));
    const pssMegabytes = costs.reduce((sum, { megabytes }) => sum + megabytes, 0);
    client.close();
    const downStarted = performance.now();
    await netloom(lab, ["down"]);
    const downMs = performance.now() - downStarted;
    return { bootMs, answerMs, nodesReadyMs, podMs, thirtyPodsMs, pssMegabytes, downMs };
  } finally {
    await lab.end();
  }
}

/** Resolves with what it wrote to stderr; rejects when it fails. */
async function netloom(lab: Lab, args: readonly string[]): Promise<string> {
  const { code, stderr } = await lab.netloom(args);
  if (code !== 0) throw new Error(`netloom ${args.join(" ")}: exit code ${code}\n${stderr}`);
  return stderr;
}
