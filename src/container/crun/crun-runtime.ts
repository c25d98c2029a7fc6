/** The container runtime of one node: crun makes containers, a conmon beside each watches it. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { mkdirSync, watch, writeFileSync, type FSWatcher } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import type { Clock } from "../../machinery/clock.ts";
import type { OutputKeeper } from "../../machinery/control-socket/index.ts";
import type { Logger } from "../../machinery/log.ts";
import { ContainerError, ExecTimeoutError } from "../errors.ts";
import type { ContainerImages } from "../images/image-service.ts";
import type { UserMap } from "../machine/user-namespace.ts";
import { removeRoot } from "../root/overlay.ts";
import type { ContainerRuntime, ContainerSpec, ContainerStatus, ExecOptions, Session } from "../runtime.ts";
import { attachToMonitor, reopenLogs } from "./attach.ts";
import { createBundles } from "./bundles.ts";
import {
  containerFolders,
  readExit,
  readRecords,
  removeExit,
  statusOf,
  writeRecord,
  type ContainerRecord,
} from "./container-folder.ts";
import { execToEnd, execWithPipes, execWithTerminal, type ExecTarget } from "./exec.ts";
import { createUnderMonitor } from "./monitor.ts";
import { findOutput, guardOutput, type OutputGuard } from "./output-guard.ts";
import { unpinPodNamespaces } from "./pod-namespaces.ts";
import { isAlive, isMonitor, readPid, signalNumber } from "./processes.ts";
import { deleteContainer, endProcessesOf, removeUnknown } from "./recovery.ts";
import { createReadiness } from "./readiness.ts";
import { startCreated } from "./start-created.ts";
import { crunVersion } from "./tools.ts";
import type { CrunTools } from "./tools.ts";

const longestOutput = 10 * 1024;
/** As if killed: what containerd reports, too, when it has lost sight of a container. */
const unknownExitCode = 137;
/** How often it is asked whether monitors live: a small read for each container. */
const monitorLookMs = 1000;
/** A container without one is asked for its end. */
const lostMonitorLookMs = 100;

interface Container {
  record: ContainerRecord;
  status: ContainerStatus;
  /** Resolves with the final status. */
  readonly ended: PromiseWithResolvers<ContainerStatus>;
  /** While it runs: what keeps its output open should its monitor be killed. */
  guard: OutputGuard | undefined;
  /** One that an earlier agent left has no guard yet. */
  isGuardSought: boolean;
  /** conmon's process id, once it was asked for. */
  monitor: number | undefined;
  isMonitorLost: boolean;
}

export interface CrunRuntimeOptions {
  /** The node's folder for what does not survive the cluster's end: `clusterPaths().nodeRun`. */
  readonly runDir: string;
  readonly tools: Omit<CrunTools, "stateDir">;
  readonly images: ContainerImages;
  readonly users: UserMap;
  /** Absent: what a container without monitor says while no agent runs is lost. */
  readonly outputs?: OutputKeeper | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Finds the containers an earlier process left; `close` ends the watching and leaves them. */
export function createCrunRuntime(options: CrunRuntimeOptions): ContainerRuntime {
  const { images, outputs, clock, log } = options;
  const folders = containerFolders(options.runDir);
  const bundles = createBundles(options);
  const tools: CrunTools = { ...options.tools, stateDir: folders.crun };
  const containers = new Map<string, Container>();
  const exitCallbacks: ((status: ContainerStatus) => void)[] = [];
  const readiness = createReadiness();
  folders.make();
  for (const record of readRecords(folders)) remember(record);
  const watcher: FSWatcher = watch(folders.exits, (_event, id) => {
    if (id !== null) noticeExit(id);
  });
  // What ended between the reading of the records and the start of the watch.
  for (const id of containers.keys()) noticeExit(id);
  // With nobody else to keep their output open, no moment may pass.
  if (outputs === undefined) for (const container of containers.values()) findGuard(container);
  const closing = new AbortController();
  void lookAfterMonitors();
  const recovery = removeUnknown(tools, {
    folders,
    clock,
    signal: closing.signal,
    known: {
      ids: new Set(containers.keys()),
      pods: new Set([...containers.values()].map(({ record }) => record.spec.pod.uid)),
    },
  });
  // Whoever uses the runtime hears of it.
  recovery.catch(() => undefined);

  function remember(record: ContainerRecord): Container {
    const status = statusOf(record, readExit(folders, record.spec.id));
    const container: Container = {
      record,
      status,
      ended: Promise.withResolvers(),
      guard: undefined,
      isGuardSought: false,
      monitor: undefined,
      isMonitorLost: false,
    };
    if (status.state.type === "exited") container.ended.resolve(status);
    containers.set(record.spec.id, container);
    return container;
  }

  function noticeExit(id: string): void {
    const container = containers.get(id);
    if (container?.status.state.type !== "running") return;
    const exit = readExit(folders, id);
    if (exit === undefined || Number.isNaN(exit.exitCode)) return;
    container.status = statusOf(container.record, exit);
    // Where it reads in the monitor's place it ends by itself, with the last word.
    if (!container.isMonitorLost) letGo(container);
    container.ended.resolve(container.status);
    for (const callback of exitCallbacks) callback(container.status);
  }

  /** Somebody may kill conmon: then its container's log and its end are ours to note. */
  async function lookAfterMonitors(): Promise<void> {
    // What was lost before is noticed by the first `list`.
    await clock.sleep(monitorLookMs, closing.signal).catch(() => undefined);
    for (const container of containers.values()) {
      if (closing.signal.aborted) return;
      findGuard(container);
      await nextTurn();
    }
    while (!closing.signal.aborted) {
      for (const [id, container] of containers) noticeLostMonitor(id, container);
      const isAnyLost = [...containers.values()].some(
        ({ isMonitorLost, status }) => isMonitorLost && status.state.type === "running",
      );
      await clock.sleep(isAnyLost ? lostMonitorLookMs : monitorLookMs, closing.signal).catch(() => undefined);
    }
  }

  function noticeLostMonitor(id: string, container: Container): void {
    const { state } = container.status;
    if (state.type !== "running") return;
    const { record } = container;
    if (!container.isMonitorLost) {
      container.monitor ??= readPid(join(folders.folder(id), "conmon.pid"));
      if (container.monitor !== undefined && isMonitor(container.monitor)) return;
      noticeExit(id);
      if (container.status.state.type !== "running") return;
      container.isMonitorLost = true;
      findGuard(container);
      log.warn("Container's monitor is gone; its log goes on, its exit code will be unknown", { container: id });
      container.guard?.takeOver(record.spec.logPath, {
        onEnd: () => outputs?.release(id),
        onError: (error) => log.warn("cannot write a container's log", { container: id, error }),
      });
    }
    if (isAlive(state.pid)) return;
    writeFileSync(folders.exitFile(id), String(unknownExitCode));
    noticeExit(id);
  }

  /**
   * Of a container that an earlier agent started. The holder has kept its output open since then, so this need not delay
   * an agent's start: it takes a third of a millisecond for each container.
   */
  function findGuard(container: Container): void {
    const { record, status } = container;
    if (container.isGuardSought || status.state.type !== "running" || record.pipes === undefined) return;
    container.isGuardSought = true;
    const pids = writersOf(record.spec.id, status.state.pid);
    // The holder, which started this process, has them open also where the container has ended meanwhile.
    container.guard = findOutput(record.pipes, [...pids, process.ppid], clock);
    if (container.guard !== undefined) outputs?.hold({ id: record.spec.id, pids, pipes: record.pipes });
  }

  function writersOf(id: string, pid: number): readonly number[] {
    const monitor = readPid(join(folders.folder(id), "conmon.pid"));
    return monitor === undefined ? [pid] : [monitor, pid];
  }

  function letGo({ guard, record }: Container): void {
    guard?.close();
    outputs?.release(record.spec.id);
  }

  function find(id: string): Container {
    const container = containers.get(id);
    if (container === undefined) {
      throw new ContainerError("RunContainerError", `Cannot find container "${id}": it was removed`);
    }
    return container;
  }

  function findRunning(id: string): Container {
    const container = find(id);
    noticeExit(id);
    if (container.status.state.type === "running") return container;
    throw new ContainerError("RunContainerError", `Cannot use container "${id}": it is not running`);
  }

  async function start(spec: ContainerSpec): Promise<ContainerStatus> {
    await recovery;
    const folder = folders.folder(spec.id);
    mkdirSync(folder, { mode: 0o711 });
    const createdAtMs = clock.now();
    const record: ContainerRecord = { spec, createdAtMs, startedAtMs: undefined, pid: undefined, startError: "" };
    const container = remember(record);
    try {
      writeRecord(folders, record);
      bundles.prepare(spec, { folder, podFolder: podFolder(spec) });
      mkdirSync(dirname(spec.logPath), { recursive: true });
      const pid = await createUnderMonitor(tools, { spec, folder, exitsDir: folders.exits });
      container.isGuardSought = true;
      if (!spec.hasTerminal) container.guard = guardOutput(pid, clock);
      const pipes = container.guard?.pipes;
      if (pipes !== undefined) outputs?.hold({ id: spec.id, pids: writersOf(spec.id, pid), pipes });
      await startCreated(tools, spec.id);
      container.record = { ...record, pid, startedAtMs: clock.now(), ...(pipes === undefined ? {} : { pipes }) };
      writeRecord(folders, container.record);
      container.status = statusOf(container.record, undefined);
      const { status } = container;
      // It may have ended before it counted as running; the caller learns that after the start.
      setImmediate(() => noticeExit(spec.id));
      return status;
    } catch (error) {
      const startError = error instanceof Error ? error.message : String(error);
      letGo(container);
      // crun or conmon may have been killed half-way: what they made must not wait for ever.
      await deleteContainer(tools, { id: spec.id, folders, clock });
      await endProcessesOf(spec.id, folders, clock);
      container.record = { ...record, startError };
      container.status = statusOf(container.record, undefined);
      container.ended.resolve(container.status);
      writeRecord(folders, container.record);
      throw error;
    }
  }

  const podFolder = (spec: ContainerSpec): string => join(folders.pods, spec.pod.uid);

  async function stop(id: string, { graceMs }: { readonly graceMs: number }): Promise<ContainerStatus> {
    const container = find(id);
    noticeExit(id);
    const { state } = container.status;
    if (state.type !== "running") return container.ended.promise;
    const waiting = new AbortController();
    if (graceMs > 0) {
      signalProcess(state.pid, signalNumber(container.record.spec.image.stopSignal));
      const grace = clock.sleep(graceMs, waiting.signal).catch(() => undefined);
      await Promise.race([container.ended.promise, grace]);
      waiting.abort(new Error("the container ended"));
      noticeExit(id);
    }
    if (container.status.state.type === "running") signalProcess(state.pid, constants.signals.SIGKILL);
    return container.ended.promise;
  }

  async function remove(id: string): Promise<void> {
    const container = containers.get(id);
    if (container === undefined) return;
    noticeExit(id);
    if (container.status.state.type === "running") {
      throw new ContainerError("RunContainerError", `Cannot remove container "${id}": it is running, stop it first`);
    }
    const { spec } = container.record;
    await deleteContainer(tools, { id, folders, clock });
    letGo(container);
    removeRoot(folders.folder(id));
    removeExit(folders, id);
    containers.delete(id);
    const isLastOfPod = ![...containers.values()].some(({ record }) => record.spec.pod.uid === spec.pod.uid);
    if (isLastOfPod) unpinPodNamespaces(podFolder(spec));
  }

  function execTarget(id: string, { command, hasTerminal }: Pick<ExecOptions, "command" | "hasTerminal">): ExecTarget {
    const { spec } = findRunning(id).record;
    const folder = folders.folder(id);
    return { tools, id, folder, process: bundles.processOf(spec, folder, { command, hasTerminal }) };
  }

  async function exec(id: string, execOptions: ExecOptions): Promise<Session> {
    const target = execTarget(id, execOptions);
    return execOptions.hasTerminal ? execWithTerminal(target) : execWithPipes(target, execOptions);
  }

  async function execSync(
    id: string,
    { command, timeoutMs }: { readonly command: readonly string[]; readonly timeoutMs: number },
  ): Promise<{ readonly exitCode: number; readonly output: string }> {
    const target = execTarget(id, { command, hasTerminal: false });
    const expired = new AbortController();
    const finished = new AbortController();
    const timeout = clock.sleep(timeoutMs, finished.signal).then(
      () => expired.abort(),
      () => undefined,
    );
    try {
      const result = await execToEnd(target, { longestOutput, expired: expired.signal });
      if (expired.signal.aborted) throw new ExecTimeoutError(command, timeoutMs);
      return result;
    } finally {
      finished.abort(new Error("the command ended"));
      await timeout;
    }
  }

  function attach(id: string): Session {
    const { spec } = findRunning(id).record;
    return attachToMonitor(folders.folder(id), { readiness, hasStdin: spec.hasStdin, hasTerminal: spec.hasTerminal });
  }

  async function list(): Promise<readonly ContainerStatus[]> {
    await recovery;
    for (const [id, container] of containers) {
      noticeLostMonitor(id, container);
      noticeExit(id);
    }
    return [...containers.values()].map(({ status }) => status);
  }

  function signalProcess(pid: number, signal: number): void {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
      log.debug("Container ended before its signal", { pid, signal });
    }
  }

  return {
    images,
    start,
    version: () => crunVersion(tools),
    list,
    onExit: (callback) => void exitCallbacks.push(callback),
    stop,
    remove,
    exec,
    execSync,
    attach: async (id) => attach(id),
    reopenLog: (id) => reopenLogs(folders.folder(id)),
    close: () => {
      closing.abort();
      watcher.close();
      for (const { guard } of containers.values()) guard?.close();
    },
  };
}
