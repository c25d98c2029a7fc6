/** Leads one pod on this node from its first sight to its end: plans, acts, reports; again whenever anything changes. */
import { rm } from "node:fs/promises";
import { ApiError } from "../../../api/status.ts";
import type { Pod } from "../../../api/generated/types.ts";
import { keyOf } from "../../../api/object.ts";
import { resources } from "../../../api/resources.ts";
import type { ContainerStatus } from "../../../container/runtime.ts";
import { backoffDelayMs } from "../../../machinery/backoff.ts";
import type { Logger } from "../../../machinery/log.ts";
import { isEnding, planPod, planStatus } from "../../../model/pod-lifecycle/index.ts";
import type { PodAction, PodFacts } from "../../../model/pod-lifecycle/index.ts";
import { findContainer } from "./find-container.ts";
import type { AnyContainer } from "./find-container.ts";
import { ContainerKeeper } from "./container-keeper.ts";
import { podDir, podLogDir } from "./paths.ts";
import { PodSandbox } from "./pod-sandbox.ts";
import { announceFailures } from "./announce-failures.ts";
import type { PodWorkerContext } from "./pod-context.ts";
import { createStatusWriter } from "./status-writer.ts";
import type { StatusWriter } from "./status-writer.ts";

const firstStatusWaitMs = 100;
/** Then the plan is made anew, whatever was waited for: the clock may have been set. */
const longestNapMs = 60_000;
const finishBackoff = { firstMs: 1000, maxMs: 60_000, factor: 2, jitter: 0 };

export class PodWorker {
  /** Resolves when nothing of the pod is left on the node. */
  readonly done: Promise<void>;
  readonly #context: PodWorkerContext;
  readonly #sandbox: PodSandbox;
  readonly #containers: ContainerKeeper;
  readonly #status: StatusWriter;
  readonly #stop = new AbortController();
  readonly #done = Promise.withResolvers<void>();
  readonly #log: Logger;
  readonly #startTimeMs: number;
  readonly #rejection: PodFacts["rejection"];
  #pod: Pod;
  #isGone = false;
  #isFinishing = false;
  /** Whether the pod's start needs no more measuring. */
  #hasRun: boolean;
  #isScheduled = false;
  #wake: AbortController | undefined;
  readonly #firstSeenMs: number;
  /** Running containers were found whose network is not attached again yet: until then the API's status is truer. */
  #isAdopting: boolean;

  /** @param runs - What the runtime knows of the pod's containers, after an agent's restart. */
  constructor(context: PodWorkerContext, pod: Pod, runs: readonly ContainerStatus[]) {
    const { name, namespace, uid } = pod.metadata ?? {};
    this.#context = context;
    this.#pod = pod;
    this.done = this.#done.promise;
    this.#log = context.log.child({ pod: `${namespace}/${name}`, uid });
    this.#firstSeenMs = context.clock.now();
    this.#hasRun = runs.length > 0;
    const startTime = Date.parse(pod.status?.startTime ?? "");
    this.#startTimeMs = Number.isNaN(startTime) ? this.#firstSeenMs : startTime;
    this.#rejection = runs.length > 0 || pod.status?.startTime !== undefined ? undefined : context.admit(pod);
    const scope = {
      context,
      pod: () => this.#pod,
      signal: this.#stop.signal,
      log: this.#log,
      onChange: () => this.kick(),
    };
    const knownIps = (pod.status?.podIPs ?? []).map(({ ip }) => ip);
    this.#sandbox = new PodSandbox(scope, knownIps);
    this.#containers = new ContainerKeeper({ ...scope, podIp: () => this.#sandbox.ips[0] ?? "" });
    this.#containers.adopt(runs);
    if (this.#containers.adoptLost()) {
      const message = "Pod sandbox changed, it will be killed and re-created.";
      context.events.normal(pod, undefined, "SandboxChanged", message);
    }
    this.#isAdopting = runs.some(({ state }) => state.type === "running") && !isEnding(this.#facts());
    this.#status = createStatusWriter({
      client: context.client,
      clock: context.clock,
      log: this.#log,
      signal: this.#stop.signal,
      onWritten: (written) => this.update(written),
    });
  }

  get pod(): Pod {
    return this.#pod;
  }

  /** Whether the pod takes part in the node's resources still: it does until its last process has ended. */
  get isActive(): boolean {
    return this.#rejection === undefined && !["Succeeded", "Failed"].includes(this.#pod.status?.phase ?? "");
  }

  /** A newer copy of the object, from the watch or from an own write. */
  update(pod: Pod): void {
    if (isOlder(pod, this.#pod)) return;
    const before = this.#pod;
    this.#pod = pod;
    this.#sandbox.noteChange(before, pod);
    this.#containers.shortenGrace();
    this.kick();
  }

  /** The pod is no longer in the API. */
  remove(last: Pod | undefined): void {
    if (last !== undefined) this.#pod = last;
    this.#isGone = true;
    this.#containers.shortenGrace();
    this.kick();
  }

  onExit(status: ContainerStatus): void {
    this.#containers.onExit(status);
  }

  /** The run of the container that now stands for it; `isPrevious` asks for the one before. */
  run(
    container: string,
    isPrevious: boolean,
  ): { readonly id: string; readonly attempt: number; readonly isRunning: boolean } | undefined {
    return this.#containers.run(container, isPrevious);
  }

  get netnsPath(): string | undefined {
    return this.#sandbox.prepared?.netnsPath;
  }

  /** Plans soon; many calls at once make one plan. */
  kick(): void {
    if (this.#isScheduled || this.#stop.signal.aborted) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      if (!this.#stop.signal.aborted) this.#reconcile();
    });
  }

  /** Ends the worker, not the pod: its containers live on. */
  close(): void {
    this.#wake?.abort();
    this.#stop.abort();
    this.#done.resolve();
  }

  #facts(): PodFacts {
    const { node } = this.#context.options;
    return {
      pod: this.#pod,
      nowMs: this.#context.clock.now(),
      sandbox: this.#sandbox.state,
      sandboxRetryAtMs: this.#sandbox.retryAtMs,
      ips: this.#sandbox.ips,
      hostIps: node.addresses,
      startTimeMs: this.#startTimeMs,
      containers: this.#containers.facts(),
      isGone: this.#isGone,
      rejection: this.#rejection,
    };
  }

  #reconcile(): void {
    const plan = planPod(this.#facts());
    for (const action of plan.actions) this.#act(action);
    // What was just begun belongs to the status too.
    const facts = this.#facts();
    const status = planStatus(facts);
    if (status.phase === "Running" && !this.#hasRun) {
      this.#hasRun = true;
      this.#context.metrics.podStartSeconds.observe((facts.nowMs - this.#firstSeenMs) / 1000);
    }
    announceFailures(this.#context.events, this.#pod, status, this.#containers);
    const waitsUntilMs = this.#statusWaitsUntilMs(facts);
    if (waitsUntilMs === undefined) this.#status.write(this.#pod, status);
    this.#sleepUntil(
      waitsUntilMs === undefined ? plan.wakeAtMs : Math.min(waitsUntilMs, plan.wakeAtMs ?? waitsUntilMs),
    );
  }

  /** When the status may be written; undefined: now. */
  #statusWaitsUntilMs({ nowMs, sandbox }: PodFacts): number | undefined {
    if (this.#isGone || this.#isAdopting) return Number.POSITIVE_INFINITY;
    // The network takes a few milliseconds: one status with the address rather than one before and one after.
    const dueMs = this.#firstSeenMs + firstStatusWaitMs;
    const isFirst = this.#pod.status?.startTime === undefined && sandbox === "busy";
    return isFirst && nowMs < dueMs ? dueMs : undefined;
  }

  #sleepUntil(atMs: number | undefined): void {
    this.#wake?.abort();
    this.#wake = undefined;
    if (atMs === undefined || atMs === Number.POSITIVE_INFINITY) return;
    const { clock } = this.#context;
    const wake = new AbortController();
    this.#wake = wake;
    clock.sleep(Math.min(Math.max(0, atMs - clock.now()), longestNapMs), wake.signal).then(
      () => this.kick(),
      () => undefined,
    );
  }

  #act(action: PodAction): void {
    switch (action.type) {
      case "attach-network":
        void this.#attach();
        return;
      case "start": {
        const { prepared } = this.#sandbox;
        if (prepared === undefined) return;
        const fields = this.#sandbox.fields();
        void this.#containers.start(action.container, action.attempt, { ...prepared, fields });
        return;
      }
      case "stop":
        void this.#containers.stop(action);
        return;
      case "detach-network":
        void this.#sandbox.detach();
        return;
      case "finish":
        if (this.#isFinishing) return;
        this.#isFinishing = true;
        void this.#finish();
    }
  }

  async #attach(): Promise<void> {
    await this.#sandbox.attach();
    this.#isAdopting = false;
    if (this.#sandbox.state === "ready") this.#containers.resumeProbes();
    this.kick();
  }

  /** Everything has ended: clear the disk, say the last status, take the object out of the API. */
  async #finish(): Promise<void> {
    const { options, client, clock, images, metrics, volumes } = this.#context;
    const uid = this.#pod.metadata?.uid ?? "";
    for (let failures = 0; !this.#stop.signal.aborted; failures += 1) {
      try {
        await this.#containers.removeAll();
        await this.#sandbox.removeNetwork();
        volumes.release(uid);
        await rm(podDir(options.nodeRoot, uid), { recursive: true, force: true });
        await this.#status.flushed();
        if (!this.#isGone) {
          await client.delete(resources.pods, keyOf(this.#pod), { gracePeriodSeconds: 0, preconditions: { uid } });
        }
        break;
      } catch (error) {
        // 404: gone meanwhile; 409: a new pod has the name already.
        if (error instanceof ApiError && (error.code === 404 || error.code === 409)) break;
        this.#log.warn("cannot remove the ended pod, trying again", { error });
        await clock.sleep(backoffDelayMs(finishBackoff, failures), this.#stop.signal).catch(() => undefined);
      }
    }
    await rm(podLogDir(options.nodeRoot, this.#pod), { recursive: true, force: true }).catch((error: unknown) => {
      this.#log.warn("cannot remove the pod's logs", { error });
    });
    images.forget(uid);
    metrics.probes.remove({ pod_uid: uid });
    this.close();
  }

  /** For `/pods` of the kubelet's API: the object with the status as the node knows it. */
  describe(): Pod {
    return { ...this.#pod, status: { ...this.#pod.status, ...planStatus(this.#facts()) } };
  }

  container(name: string): AnyContainer | undefined {
    return findContainer(this.#pod, name);
  }

  get hasRunning(): boolean {
    return [...this.#containers.facts().values()].some(({ current }) => current?.state.type === "running");
  }

  /** Calls back when the run with that id has ended; at once where it is not running. Returns what ends the waiting. */
  onEnded(id: string, callback: () => void): () => void {
    return this.#containers.onEnded(id, callback);
  }
}

/** Resource versions of one object grow; anything unreadable counts as newer. */
function isOlder(pod: Pod, than: Pod): boolean {
  const [a, b] = [pod.metadata?.resourceVersion ?? "", than.metadata?.resourceVersion ?? ""];
  return /^\d+$/.test(a) && /^\d+$/.test(b) && BigInt(a) < BigInt(b);
}
