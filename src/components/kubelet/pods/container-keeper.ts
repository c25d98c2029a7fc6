/** What a pod worker knows of its containers, and the long-running things it does to them: start, probe, stop. */
import { rm } from "node:fs/promises";
import type { ContainerSpec, ContainerStatus } from "../../../container/runtime.ts";
import { raiseBackOff } from "../../../model/pod-lifecycle/index.ts";
import type { ContainerFacts, ContainerRun } from "../../../model/pod-lifecycle/index.ts";
import { runHook } from "../probes/hook.ts";
import { probeContainer, probeTarget } from "./container-probes.ts";
import type { PodScope } from "./pod-context.ts";
import { containerRun, lostRun } from "./container-run.ts";
import { allContainers, findContainer } from "./find-container.ts";
import type { AnyContainer } from "./find-container.ts";
import { stopGraceSeconds } from "./grace.ts";
import { linkLog, unlinkLog } from "./log-links.ts";
import { containerLogPath } from "./paths.ts";
import { terminationLogPath } from "./pod-files.ts";
import { StartError } from "./start-error.ts";
import { startContainer } from "./start-container.ts";
import type { StartRequest } from "./start-container.ts";
import { stopContainer } from "./stop-container.ts";
import type { StopRequest } from "./stop-container.ts";
import { trackContainer } from "./tracked-container.ts";
import type { TrackedContainer } from "./tracked-container.ts";

/** How a container whose agent came back was doing, as the API still says. */
interface Known {
  readonly isStarted: boolean;
  readonly isReady: boolean;
}

export class ContainerKeeper {
  readonly #options: PodScope;
  readonly #tracked = new Map<string, TrackedContainer>();
  /** Ids of runs that began and whose `start` has not answered yet. */
  readonly #starting = new Map<string, string>();
  readonly #resumable = new Map<string, Known>();
  /** By a run's id: who is told of its end. */
  readonly #waiting = new Map<string, Set<() => void>>();

  constructor(options: PodScope) {
    this.#options = options;
    options.signal.addEventListener("abort", () => [...this.#waiting.keys()].forEach((id) => this.#tellEnd(id)), {
      once: true,
    });
  }

  /** Takes over what the runtime already has. Probes begin with `resumeProbes`, when the network is there. */
  adopt(runs: readonly ContainerStatus[]): void {
    const pod = this.#options.pod();
    for (const status of runs.toSorted((a, b) => a.attempt - b.attempt)) {
      if (status.state.type === "created") continue;
      const tracked = this.#track(status.name);
      tracked.previous = tracked.current;
      tracked.current = this.#runOf(status);
      const known = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])].find(
        ({ containerID }) => containerID === `crun://${status.id}`,
      );
      tracked.isStarted = known?.started ?? findContainer(pod, status.name)?.startupProbe === undefined;
      tracked.isReady = known?.ready ?? findContainer(pod, status.name)?.readinessProbe === undefined;
      if (status.state.type !== "running") continue;
      this.#resumable.set(status.name, tracked);
      this.#countRunning(1);
    }
  }

  /**
   * Takes from the API what it says of containers that the runtime does not know: the node was switched off under them.
   * What had ended keeps its end; what ran has ended now, nobody knows how, and the restart policy decides. Returns
   * whether anything had run.
   */
  adoptLost(): boolean {
    const { context, pod } = this.#options;
    let hasRun = false;
    for (const status of pod().status?.containerStatuses ?? []) {
      const isKnown = this.#tracked.get(status.name)?.current !== undefined;
      const run = isKnown ? undefined : lostRun(status, context.clock.now());
      if (run === undefined) continue;
      this.#track(status.name).current = run;
      hasRun ||= status.state?.running !== undefined;
    }
    return hasRun;
  }

  resumeProbes(): void {
    for (const [name, { isStarted }] of this.#resumable) {
      const tracked = this.#track(name);
      const container = findContainer(this.#options.pod(), name);
      if (container !== undefined && tracked.current !== undefined)
        probeContainer(this.#options, container, { tracked, isStarted });
    }
    this.#resumable.clear();
  }

  facts(): ReadonlyMap<string, ContainerFacts> {
    return this.#tracked;
  }

  run(
    name: string,
    isPrevious: boolean,
  ): { readonly id: string; readonly attempt: number; readonly isRunning: boolean } | undefined {
    const tracked = this.#tracked.get(name);
    const run = isPrevious ? tracked?.previous : tracked?.current;
    return run === undefined
      ? undefined
      : { id: run.id, attempt: run.attempt, isRunning: run.state.type === "running" };
  }

  /** Whether `text` is new for the container; remembers it. */
  announce(name: string, text: string): boolean {
    const tracked = this.#track(name);
    const isNew = tracked.announced !== text;
    tracked.announced = text;
    return isNew;
  }

  /**
   * Calls back when the run with that id has ended, or its worker was closed; at once where it is not running. Returns
   * what ends the waiting.
   */
  onEnded(id: string, callback: () => void): () => void {
    const isRunning = [...this.#tracked.values()].some(
      ({ current }) => current?.id === id && current.state.type === "running",
    );
    if (!isRunning || this.#options.signal.aborted) {
      callback();
      return () => undefined;
    }
    const waiting = this.#waiting.get(id) ?? new Set();
    this.#waiting.set(id, waiting.add(callback));
    return () => waiting.delete(callback);
  }

  #tellEnd(id: string): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    waiting?.forEach((callback) => callback());
  }

  onExit(status: ContainerStatus): void {
    // An exit heard before `start` answered is taken from its answer's run below.
    const tracked = this.#track(status.name);
    if (status.state.type !== "exited") return;
    if (tracked.current?.id !== status.id) {
      if (this.#starting.get(status.name) !== status.id) return;
      tracked.previous = tracked.current;
    } else if (tracked.current.state.type === "running") this.#countRunning(-1);
    tracked.current = this.#runOf(status);
    tracked.probes?.abort();
    tracked.probes = undefined;
    tracked.killCause = undefined;
    tracked.killAtMs = undefined;
    tracked.isReady = false;
    tracked.isStarted = false;
    if (tracked.activity === "stopping") tracked.activity = "none";
    this.#tellEnd(status.id);
    this.#options.onChange();
  }

  async start(
    name: string,
    attempt: number,
    given: Pick<StartRequest, "netnsPath" | "hostname" | "fields" | "volumes">,
  ): Promise<void> {
    const { context, pod, onChange, log } = this.#options;
    const { clock, metrics } = context;
    const container = findContainer(pod(), name);
    if (container === undefined) return;
    const tracked = this.#track(name);
    tracked.activity = "starting";
    const old = tracked.previous;
    if (tracked.current?.state.type === "exited") {
      const when = { nowMs: clock.now(), eventMs: tracked.current.state.finishedAtMs };
      tracked.backOff = raiseBackOff(tracked.backOff, when);
    }
    let spec: ContainerSpec | undefined;
    try {
      const onSpec = (made: ContainerSpec): void => {
        spec = made;
        this.#starting.set(name, made.id);
      };
      const status = await startContainer(context, { pod: pod(), container, attempt, onSpec, ...given });
      tracked.failure = undefined;
      metrics.startedContainers.inc();
      if (tracked.current?.id !== status.id) {
        tracked.previous = tracked.current;
        tracked.current = this.#runOf(status);
        if (status.state.type === "running") this.#countRunning(1);
      }
      // The new run does not wait for the disk.
      void linkLog(context.nodeRoot, pod(), { name, attempt, id: status.id }).catch((error: unknown) => {
        log.warn("cannot link the container's log", { container: name, error });
      });
      if (old !== undefined) void this.#forgetRun(name, old);
      await this.#afterStart(container, tracked, status.id);
    } catch (error) {
      metrics.failedContainers.inc();
      log.warn("cannot start the container", { container: name, error });
      await this.#noteFailure(tracked, error, spec);
    } finally {
      this.#starting.delete(name);
      if (tracked.activity === "starting") tracked.activity = "none";
      onChange();
    }
  }

  /** The hook after the start, which the next container waits for, and the probes. */
  async #afterStart(container: AnyContainer, tracked: TrackedContainer, id: string): Promise<void> {
    if (tracked.current?.state.type !== "running") return;
    this.#options.onChange();
    const hook = container.lifecycle?.postStart;
    if (hook !== undefined) {
      const { context, pod, signal } = this.#options;
      const problem = await runHook(hook, probeTarget(this.#options, container, id), { clock: context.clock, signal });
      if (problem !== undefined) {
        context.events.warning(pod(), container.name, "FailedPostStartHook", "PostStartHook failed");
        tracked.activity = "none";
        await this.stop({ container: container.name, id, cause: "hook" });
        return;
      }
    }
    if (tracked.current?.id === id && tracked.current.state.type === "running")
      probeContainer(this.#options, container, { tracked, isStarted: false });
  }

  /** A container that was made and could not run counts as one that ran and failed, as upstream has it. */
  async #noteFailure(tracked: TrackedContainer, error: unknown, spec: ContainerSpec | undefined): Promise<void> {
    const { context } = this.#options;
    const nowMs = context.clock.now();
    const failure =
      error instanceof StartError
        ? error
        : new StartError("RunContainerError", error instanceof Error ? error.message : String(error), { cause: error });
    // A runtime that cannot even list has not made it, as far as can be known.
    const runs = await context.runtime.list().catch(() => []);
    const made = spec === undefined ? undefined : runs.find(({ id }) => id === spec.id);
    if (made?.state.type === "exited") {
      if (tracked.current?.id !== made.id) tracked.previous = tracked.current;
      tracked.current = this.#runOf(made);
    }
    tracked.failure = {
      reason: failure.code,
      message: failure.message,
      ...(failure.later === undefined ? {} : { later: failure.later }),
      failedAtMs: nowMs,
      // Like upstream's next try after a failed one; a made container waits by its own back-off.
      retryAtMs: made === undefined ? (failure.retryAtMs ?? nowMs + 10_000) : 0,
    };
  }

  /** The hook before the stop and the stop share the grace period; a container killed for its probe has its own. */
  async stop(request: StopRequest): Promise<void> {
    const { context, log, signal, onChange } = this.#options;
    const tracked = this.#track(request.container);
    tracked.activity = "stopping";
    try {
      this.onExit(await stopContainer(this.#options, request, tracked));
    } catch (error) {
      if (signal.aborted) return;
      log.error("cannot stop the container, trying again", { container: request.container, error });
      await context.clock.sleep(1000, signal).catch(() => undefined);
      tracked.activity = "none";
      onChange();
    }
  }

  /** A second deletion may leave less time than the first: containers being stopped are told. */
  shortenGrace(): void {
    const { context, pod, log } = this.#options;
    for (const tracked of this.#tracked.values()) {
      if (tracked.killAtMs === undefined || tracked.current?.state.type !== "running") continue;
      const graceMs = 1000 * stopGraceSeconds(pod());
      const sooner = context.clock.now() + graceMs;
      if (pod().metadata?.deletionTimestamp === undefined || sooner >= tracked.killAtMs) continue;
      tracked.killAtMs = sooner;
      context.runtime.stop(tracked.current.id, { graceMs }).catch((error: unknown) => {
        log.error("cannot stop the container sooner", { error });
      });
    }
  }

  async removeAll(): Promise<void> {
    for (const [name, tracked] of this.#tracked) {
      for (const run of [tracked.previous, tracked.current]) if (run !== undefined) await this.#remove(name, run.id);
    }
  }

  /** Of a container's ended runs only the last is kept, with its log. */
  async #forgetRun(name: string, { id, attempt }: ContainerRun): Promise<void> {
    const { context, pod, log } = this.#options;
    await this.#remove(name, id);
    for (const path of [containerLogPath, terminationLogPath]) {
      await rm(path(context.nodeRoot, pod(), { name, attempt }), { force: true }).catch((error: unknown) => {
        log.warn("cannot remove a file of an ended container", { container: name, error });
      });
    }
  }

  async #remove(name: string, id: string): Promise<void> {
    const { context, pod, log } = this.#options;
    await context.runtime.remove(id).catch((error: unknown) => {
      log.warn("cannot remove the ended container", { container: id, error });
    });
    await unlinkLog(context.nodeRoot, pod(), { name, id }).catch((error: unknown) => {
      log.warn("cannot remove the link to a container's log", { container: id, error });
    });
  }

  #countRunning(change: 1 | -1): void {
    const { metrics, options } = this.#options.context;
    const labels = { node: options.node.name };
    if (change === 1) metrics.runningContainers.inc(labels);
    else metrics.runningContainers.dec(labels);
  }

  #track(name: string): TrackedContainer {
    const known = this.#tracked.get(name);
    if (known !== undefined) return known;
    const made = trackContainer();
    this.#tracked.set(name, made);
    return made;
  }

  #runOf(status: ContainerStatus): ContainerRun {
    const pod = this.#options.pod();
    const container = allContainers(pod).find(({ name }) => name === status.name);
    return containerRun(status, { pod, container, nodeRoot: this.#options.context.nodeRoot });
  }
}
