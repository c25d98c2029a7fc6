/**
 * Containers beside what they are made with: start, exec, probe, stop and removal of one busybox container, against
 * `crun run` and `crun exec` on a prepared bundle. Runs in namespaces of its own: `npm run bench -- container [rounds]`.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createContainerRuntime,
  prepareContainerHost,
  type ContainerRuntime,
  type ContainerSpec,
} from "../src/container/index.ts";
import { systemClock } from "../src/machinery/clock.ts";
import { mount } from "../src/machinery/libc/index.ts";
import { silentLogger } from "../src/machinery/log.ts";
import { clusterPaths } from "../src/model/cluster-config.ts";
import { isInside, runInside } from "./_inside.ts";
import { median, printTable } from "./_table.ts";

const defaultRounds = 40;
const longLived = ["sleep", "1000"];

export async function run(args: readonly string[]): Promise<void> {
  if (!isInside) return runInside("container", args, { hasOwnProcesses: true });
  const rounds = Number(args[0] ?? defaultRounds);
  const folder = mkdtempSync(join(tmpdir(), "netloom-bench-"));
  try {
    printTable(["step", "median ms", "floor"], await measure(folder, rounds));
  } finally {
    spawnSync("umount", ["--lazy", join(folder, "run/private")]);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(folder: string, rounds: number): Promise<readonly (readonly string[])[]> {
  const config = { stateDir: join(folder, "state"), runDir: join(folder, "run"), toolsDir: "", images: ["catalog"] };
  const paths = clusterPaths(config);
  mkdirSync(paths.private, { recursive: true });
  mount({ source: "tmpfs", target: paths.private, type: "tmpfs" });
  prepareContainerHost();
  const netns = join(paths.private, "pod");
  execFileSync("sh", ["-c", `touch ${netns} && unshare --net=${netns} ip link set lo up`]);
  const runtime = createContainerRuntime({ config, node: { name: "n" }, clock: systemClock, log: silentLogger });
  const makeSpec = await specFactory(runtime, { netns, folder });

  const standing = makeSpec();
  await runtime.start(standing);
  const bundle = prepareBundle(join(paths.nodeRun("n"), "containers", standing.id), join(paths.private, "bundle"));
  const crunRoot = join(paths.private, "crun");
  const crun = (...words: readonly string[]): void =>
    void execFileSync("crun", [`--root=${crunRoot}`, "--cgroup-manager=disabled", ...words], { stdio: "ignore" });
  crun("run", "--detach", `--bundle=${bundle.standing}`, "standing");

  const times: Record<string, number[]> = {};
  const time = async (step: string, work: () => unknown): Promise<void> => {
    const started = performance.now();
    await work();
    (times[step] ??= []).push(performance.now() - started);
  };
  for (let round = 0; round < rounds; round++) {
    const spec = makeSpec();
    await time("start", () => runtime.start(spec));
    await time("stop", () => runtime.stop(spec.id, { graceMs: 0 }));
    await time("remove", () => runtime.remove(spec.id));
    await time("probe", () => runtime.execSync(standing.id, { command: ["true"], timeoutMs: 5000 }));
    await time("exec", () => execToEnd(runtime, standing.id, false));
    await time("exec with a terminal", () => execToEnd(runtime, standing.id, true));
    await time("crun run", () => crun("run", `--bundle=${bundle.brief}`, `brief-${round}`));
    await time("crun exec", () => crun("exec", "standing", "true"));
    await time("process", () => execFileSync("true"));
  }
  crun("delete", "--force", "standing");
  await runtime.stop(standing.id, { graceMs: 0 });
  runtime.close();

  const ms = (step: string): string => median(times[step] ?? []).toFixed(1);
  const [floorRun, floorExec] = [`crun run of \`true\`: ${ms("crun run")}`, `crun exec: ${ms("crun exec")}`];
  return [
    ["start to running", ms("start"), floorRun],
    ["probe (execSync)", ms("probe"), floorExec],
    ["exec with pipes, to its end", ms("exec"), floorExec],
    ["exec with a terminal, to its end", ms("exec with a terminal"), floorExec],
    ["stop (SIGKILL) to its exit known", ms("stop"), `a process: ${ms("process")}`],
    ["remove", ms("remove"), `a process: ${ms("process")}`],
  ];
}

async function execToEnd(runtime: ContainerRuntime, id: string, hasTerminal: boolean): Promise<void> {
  const session = await runtime.exec(id, { command: ["true"], hasStdin: false, hasTerminal });
  session.stdout.resume();
  session.stderr?.resume();
  await session.exit;
}

async function specFactory(
  runtime: ContainerRuntime,
  { netns, folder }: { readonly netns: string; readonly folder: string },
): Promise<() => ContainerSpec> {
  const image = await runtime.images.pull("busybox", { onlyIfPresent: true, never: false });
  return () => {
    const id = randomBytes(32).toString("hex");
    return {
      id,
      pod: { namespace: "default", name: "bench", uid: id },
      name: "main",
      attempt: 0,
      image,
      argv: longLived,
      env: [],
      workingDir: "",
      user: undefined,
      hasTerminal: false,
      hasStdin: false,
      stdinOnce: false,
      mounts: [],
      networkNamespacePath: netns,
      hostname: "bench",
      isPrivileged: false,
      isRootReadOnly: false,
      addedCapabilities: [],
      droppedCapabilities: [],
      logPath: join(folder, "logs", id),
    };
  };
}

/** Bundles for crun alone: the root copied, the configuration that of our container, to sleep and to end at once. */
function prepareBundle(container: string, folder: string): { readonly standing: string; readonly brief: string } {
  const config = JSON.parse(readFileSync(join(container, "config.json"), "utf8")) as {
    process: { args: readonly string[] };
    root: { path: string };
  };
  const root = join(folder, "root");
  cpSync(join(container, "rootfs"), root, { recursive: true, verbatimSymlinks: true });
  const write = (name: string, command: readonly string[]): string => {
    mkdirSync(join(folder, name));
    const changed = { ...config, process: { ...config.process, args: command }, root: { ...config.root, path: root } };
    writeFileSync(join(folder, name, "config.json"), JSON.stringify(changed));
    return join(folder, name);
  };
  return { standing: write("standing", longLived), brief: write("brief", ["true"]) };
}
