/**
 * Clusters of 1, 10 and 50 nodes with 0, 100 and 500 pods. Prints Markdown that goes into the docs as it is. A node has
 * 254 addresses for pods and takes 110: the 500 are on 10 and on 50 nodes.
 */
import { createHttpsClient } from "../src/client/index.ts";
import type { Pod } from "../src/api/generated/types.ts";
import { readKubeconfig } from "../src/machinery/kubeconfig/index.ts";
import { type Lab, makeLab } from "../test/cluster/lab/index.ts";
import { type AnswerTime, commandsMeasured, measureAnswers } from "./_boot-answers.ts";
import { measureFloors } from "./_boot-floors.ts";
import { measureRestarts, type Restarts } from "./_boot-restarts.ts";
import { isReady, untilReady, untilSeen } from "./_pods.ts";
import { partCosts } from "./_processes.ts";
import { median, printMachine, printTable } from "./_table.ts";

interface Case {
  readonly nodes: number;
  readonly pods: number;
  /** How often each process is killed. */
  readonly kills: number;
}

const cases: readonly Case[] = [
  { nodes: 1, pods: 0, kills: 1 },
  { nodes: 10, pods: 0, kills: 0 },
  { nodes: 50, pods: 0, kills: 1 },
  { nodes: 1, pods: 100, kills: 0 },
  { nodes: 3, pods: 100, kills: 3 },
  { nodes: 10, pods: 100, kills: 1 },
  { nodes: 50, pods: 100, kills: 0 },
  { nodes: 10, pods: 500, kills: 1 },
  { nodes: 50, pods: 500, kills: 0 },
];

interface CaseResult {
  readonly nodesReadyMs: number;
  readonly upMs: number;
  readonly bootCpuSeconds: number;
  readonly podsMs: number;
  readonly podsCpuSeconds: number;
  readonly megabytes: Readonly<Record<"server" | "agent" | "holder" | "pods", number>>;
  readonly stopMs: number;
  /** Until `netloom start` returns. */
  readonly startMs: number;
  /** From the same moment until the last pod is Ready. */
  readonly podsBackMs: number;
  readonly downMs: number;
  readonly restarts: readonly Restarts[];
  readonly answers: readonly AnswerTime[];
}

/** `only`: "50x500" measures that cell alone. */
export async function runMatrix(rounds: number, only?: string): Promise<void> {
  const wanted = cases.filter(({ nodes, pods }) => only === undefined || only === `${nodes}x${pods}`);
  const results = new Map<Case, CaseResult[]>(wanted.map((one) => [one, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const one of wanted) {
      process.stderr.write(`round ${round + 1}: ${one.nodes} nodes, ${one.pods} pods\n`);
      results.get(one)?.push(await measure(one, { isFirst: round === 0 }));
    }
  }
  printAll(results, rounds);
}

async function measure(one: Case, { isFirst }: { readonly isFirst: boolean }): Promise<CaseResult> {
  const lab = makeLab();
  try {
    // Also makes the bundle anew where the sources are newer.
    await timed(lab, ["version"]);
    const up = await timed(lab, ["up", "--nodes", `${one.nodes}`]);
    const bootCpuSeconds = ownCpu(lab);
    const client = createHttpsClient(await readKubeconfig(lab.env["KUBECONFIG"] ?? ""));
    const names = Array.from({ length: one.pods }, (_, index) => `many-${index}`);
    const podsMs = names.length === 0 ? 0 : await untilReady(client, names);
    const podsCpuSeconds = ownCpu(lab) - bootCpuSeconds;
    const costs = partCosts(lab);
    const answers = measureAnswers(lab);
    const restarts = isFirst ? await measureRestarts(lab, one.kills) : [];
    const stop = await timed(lab, ["stop"]);
    client.close();
    const start = await timed(lab, ["start"]);
    const podsBackMs = start.ms + (await untilBack(lab, names));
    const down = await timed(lab, ["down"]);
    return {
      nodesReadyMs: Number(/nodes Ready \([^)]*?(\d+) ms\)/.exec(up.stderr)?.[1]),
      upMs: up.ms,
      bootCpuSeconds,
      podsMs,
      podsCpuSeconds,
      megabytes: {
        server: costs.server.megabytes,
        agent: costs.agent.megabytes,
        holder: costs.holder.megabytes,
        pods: costs.pods.megabytes,
      },
      stopMs: stop.ms,
      startMs: start.ms,
      podsBackMs,
      downMs: down.ms,
      restarts,
      answers,
    };
  } finally {
    await lab.end();
  }
}

/** Of our own processes: not of crun, conmon and the containers. */
function ownCpu(lab: Lab): number {
  const { server, agent, holder } = partCosts(lab);
  return server.cpuSeconds + agent.cpuSeconds + holder.cpuSeconds;
}

/** The milliseconds until all run again, each with one restart more than before. */
async function untilBack(lab: Lab, names: readonly string[]): Promise<number> {
  const started = performance.now();
  const client = createHttpsClient(await readKubeconfig(lab.env["KUBECONFIG"] ?? ""));
  const isBack = (pod: Pod): boolean => isReady(pod) && (pod.status?.containerStatuses?.[0]?.restartCount ?? 0) > 0;
  await untilSeen(client, names, { isWanted: isBack });
  client.close();
  return performance.now() - started;
}

async function timed(lab: Lab, args: readonly string[]): Promise<{ readonly ms: number; readonly stderr: string }> {
  const started = performance.now();
  const { code, stderr } = await lab.netloom(args, { timeoutMs: 120_000 });
  if (code !== 0) throw new Error(`netloom ${args.join(" ")}: exit code ${code}\n${stderr}`);
  return { ms: performance.now() - started, stderr };
}

function printAll(results: ReadonlyMap<Case, readonly CaseResult[]>, rounds: number): void {
  const floors = measureFloors(rounds * 3);
  const rowsOf = (cells: (of: (pick: (result: CaseResult) => number) => number, one: Case) => readonly string[]) =>
    [...results].map(([one, list]) => [`${one.nodes}`, `${one.pods}`, ...cells((pick) => median(list.map(pick)), one)]);
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
  const ratio = (value: number, floor: number): string => `${(value / floor).toFixed(value / floor < 20 ? 1 : 0)}x`;
  printMachine(rounds);
  console.log(
    `Floors of the same run: empty Node start ${floors.nodeStart.toFixed(0)} ms and ${floors.nodePss.toFixed(0)} MB, \`crun run\` ${floors.crunRun.toFixed(1)} ms.\n`,
  );
  console.log("Time. Ratios: the boot to an empty Node start, pods to as many `crun run` one after the other.\n");
  printTable(
    [
      "nodes",
      "pods",
      "nodes Ready",
      "ratio",
      "CPU",
      "pods Ready",
      "ratio",
      "CPU",
      "stop",
      "start",
      "pods back",
      "down",
    ],
    rowsOf((of, { pods }) => [
      seconds(of(({ nodesReadyMs }) => nodesReadyMs)),
      ratio(
        of(({ nodesReadyMs }) => nodesReadyMs),
        floors.nodeStart,
      ),
      seconds(of(({ bootCpuSeconds }) => bootCpuSeconds * 1000)),
      ...(pods === 0
        ? ["", "", ""]
        : [
            seconds(of(({ podsMs }) => podsMs)),
            ratio(
              of(({ podsMs }) => podsMs),
              floors.crunRun * pods,
            ),
            seconds(of(({ podsCpuSeconds }) => podsCpuSeconds * 1000)),
          ]),
      seconds(of(({ stopMs }) => stopMs)),
      seconds(of(({ startMs }) => startMs)),
      pods === 0 ? "" : seconds(of(({ podsBackMs }) => podsBackMs)),
      seconds(of(({ downMs }) => downMs)),
    ]),
  );
  printMemory(results, floors.nodePss);
  printRestarts(results, floors.nodeStart);
  printAnswers(results, floors.nodeStart);
}

const sum = ({ megabytes }: CaseResult): number => Object.values(megabytes).reduce((a, b) => a + b, 0);

function printMemory(results: ReadonlyMap<Case, readonly CaseResult[]>, emptyNode: number): void {
  const total = ({ nodes, pods }: { readonly nodes: number; readonly pods: number }): number | undefined => {
    const list = [...results].find(([one]) => one.nodes === nodes && one.pods === pods)?.[1];
    return list === undefined ? undefined : median(list.map(sum));
  };
  const more = (what: number, than: number | undefined, count: number): string =>
    than === undefined || count === 0 ? "" : `${((what - than) / count).toFixed(2)} MB`;
  console.log("\nMemory (PSS), just after the last pod was Ready. Per pod: over the same nodes with fewer pods.\n");
  printTable(
    [
      "nodes",
      "pods",
      "all",
      "empty Nodes",
      "server",
      "agent",
      "holder",
      "monitors and containers",
      "per node",
      "per pod",
    ],
    [...results].map(([{ nodes, pods }, list]) => {
      const all = median(list.map(sum));
      const fewer = [100, 0].find((one) => one < pods && total({ nodes, pods: one }) !== undefined) ?? 0;
      const of = (part: keyof CaseResult["megabytes"]): string =>
        `${Math.round(median(list.map(({ megabytes }) => megabytes[part])))} MB`;
      return [
        `${nodes}`,
        `${pods}`,
        `${Math.round(all)} MB`,
        `${(all / emptyNode).toFixed(1)}x`,
        of("server"),
        of("agent"),
        of("holder"),
        of("pods"),
        pods === 0 ? more(all, total({ nodes: 1, pods: 0 }), nodes - 1) : "",
        more(all, total({ nodes, pods: fewer }), pods - fewer),
      ];
    }),
  );
}

function printRestarts(results: ReadonlyMap<Case, readonly CaseResult[]>, nodeStart: number): void {
  const rows = [...results].flatMap(([{ nodes, pods }, list]) => {
    const all = list.flatMap(({ restarts }) => restarts);
    if (all.length === 0) return [];
    const of = (key: keyof Restarts): string => {
      const value = median(all.map((one) => one[key]));
      return `${Math.round(value)} ms (${(value / nodeStart).toFixed(0)}x)`;
    };
    const lost = all.reduce((total, { lostRequests }) => total + lostRequests, 0);
    const asked = all.reduce((total, { requests }) => total + requests, 0);
    return [
      [
        `${nodes}`,
        `${pods}`,
        of("readMs"),
        of("watchesMs"),
        of("newPodMs"),
        of("logMs"),
        of("agentPodMs"),
        `${lost} of ${asked}`,
      ],
    ];
  });
  console.log("\n`kill -9`, until it serves again (ratio to an empty Node start).\n");
  printTable(
    [
      "nodes",
      "pods",
      "server: a pod is read",
      "server: all watches are back",
      "server: a new pod is Ready",
      "agent: a log is read",
      "agent: a new pod is Ready",
      "requests to a Service lost meanwhile",
    ],
    rows,
  );
}

function printAnswers(results: ReadonlyMap<Case, readonly CaseResult[]>, nodeStart: number): void {
  console.log("\nCommands, start to end; in brackets their CPU time.\n");
  printTable(
    ["nodes", "pods", ...commandsMeasured.map((words) => `netloom ${words.join(" ")}`)],
    [...results].map(([{ nodes, pods }, list]) => [
      `${nodes}`,
      `${pods}`,
      ...commandsMeasured.map((_, index) => {
        const wall = median(list.flatMap(({ answers }) => answers[index]?.wallMs ?? []));
        const cpu = median(list.flatMap(({ answers }) => answers[index]?.cpuMs ?? []));
        return `${Math.round(wall)} ms (${Math.round(cpu)} ms)`;
      }),
    ]),
  );
  console.log(`\nAn empty Node start takes ${Math.round(nodeStart)} ms.`);
}
