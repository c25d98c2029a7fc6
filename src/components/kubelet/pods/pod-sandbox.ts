/** What must be there before a pod's first process: its network, its shared files, its volumes. */
import type { Pod } from "../../../api/generated/types.ts";
import { backoffDelayMs } from "../../../machinery/backoff.ts";
import type { FieldContext } from "../../../model/pod-environment/index.ts";
import type { PodFacts } from "../../../model/pod-lifecycle/index.ts";
import { hasChangingVolumes } from "../volumes/pod-volumes.ts";
import type { PodScope } from "./pod-context.ts";
import { writePodFiles } from "./pod-files.ts";

/** What a container is started with. */
interface Prepared {
  readonly netnsPath: string;
  readonly hostname: string;
  readonly volumes: ReadonlyMap<string, string>;
}

const backoff = { firstMs: 50, maxMs: 60_000, factor: 2, jitter: 0 };
/** These fall within the first second. */
const earlyFailures = 4;
const detachRetryMs = 1000;
/** How often volumes are compared with the API's objects even if nothing was heard: tokens grow old. As upstream. */
const refreshMs = 60_000;

export class PodSandbox {
  state: PodFacts["sandbox"] = "none";
  prepared: Prepared | undefined;
  /** Kept after the network is gone: a completed pod still shows its address. */
  ips: readonly string[];
  retryAtMs = 0;
  readonly #scope: Omit<PodScope, "podIp">;
  #failures = 0;
  /** Ends the wait before the next look at the volumes. */
  #volumeChange: AbortController | undefined;

  /** @param ips - Those the API knows, from before an agent's restart. */
  constructor(scope: Omit<PodScope, "podIp">, ips: readonly string[]) {
    this.#scope = scope;
    this.ips = ips;
  }

  /** What the downward API may tell. */
  fields(): FieldContext {
    const { context, pod } = this.#scope;
    const { node } = context.options;
    const { allocatable } = context;
    return { pod: pod(), nodeName: node.name, podIps: this.ips, hostIps: node.addresses, allocatable };
  }

  /** Never rejects: a failure sets when to try again. */
  async attach(): Promise<void> {
    const { context, pod, log, onChange } = this.#scope;
    this.state = "busy";
    const startedAtMs = context.clock.now();
    try {
      this.prepared = await context.limit(() => this.#prepare(), pod().spec?.priority);
      this.state = "ready";
      this.#failures = 0;
      context.metrics.sandboxSeconds.observe((context.clock.now() - startedAtMs) / 1000);
      this.#tellWhatIsMissing();
      if (hasChangingVolumes(pod())) void this.#refreshVolumes(this.prepared);
    } catch (error) {
      this.#noteFailure(error);
      log.warn("cannot prepare the pod", { error });
    }
    onChange();
  }

  /** Asked for, and not done: a user must not have to find out. */
  #tellWhatIsMissing(): void {
    const { context, pod } = this.#scope;
    const { shareProcessNamespace = false, hostPID = false, hostIPC = false } = pod().spec ?? {};
    const tell = (field: string, instead: string): void =>
      context.events.warning(pod(), undefined, "NotSupported", `${field} has no effect here: ${instead}`);
    if (shareProcessNamespace) tell("shareProcessNamespace", "each container sees its own processes only");
    if (hostPID) tell("hostPID", "each container sees its own processes only");
    if (hostIPC) tell("hostIPC", "each container has its own System V IPC");
  }

  async #prepare(): Promise<Prepared> {
    const { context, pod } = this.#scope;
    const { config, network, node, nodeNetnsPath, nodeRoot } = context.options;
    const { namespace = "", name = "", uid = "" } = pod().metadata ?? {};
    const isOnHost = pod().spec?.hostNetwork === true;
    // What an earlier agent or an earlier try made is the pod's already.
    const adopted = isOnHost ? undefined : network.list().find((attached) => attached.uid === uid);
    const attachment = isOnHost
      ? { netnsPath: nodeNetnsPath, ips: node.addresses }
      : (adopted ?? network.attach({ namespace, name, uid }));
    // Both are awaited, whichever fails: a try must be over before the next.
    const [attached, volumes] = await Promise.allSettled([attachment, context.volumes.prepare(pod(), this.fields())]);
    if (attached.status === "rejected") throw attached.reason;
    if (volumes.status === "rejected") throw volumes.reason;
    const { netnsPath, ips } = attached.value;
    this.ips = ips;
    const { hostname } = writePodFiles({
      pod: pod(),
      ips,
      config,
      nodeRoot,
      nodeName: node.name,
      isAdopted: adopted !== undefined,
    });
    return { netnsPath, hostname, volumes: volumes.value };
  }

  #noteFailure(error: unknown): void {
    const { context, pod } = this.#scope;
    const message = error instanceof Error ? error.message : String(error);
    const isVolume = error instanceof Error && "code" in error && error.code === "FailedMount";
    // What a volume is made from often comes a moment after the pod; upstream would not have looked yet.
    const isEarly = this.#failures < earlyFailures;
    if (isVolume && !isEarly) context.events.warning(pod(), undefined, "FailedMount", message);
    else if (!isVolume) {
      context.events.warning(pod(), undefined, "FailedCreatePodSandBox", `Failed to create pod sandbox: ${message}`);
    }
    this.state = "none";
    this.retryAtMs = context.clock.now() + backoffDelayMs(backoff, this.#failures);
    this.#failures += 1;
  }

  /** Never rejects; after a failure it is asked again. */
  async detach(): Promise<void> {
    const { context, log, onChange, signal } = this.#scope;
    this.state = "busy";
    try {
      await this.removeNetwork();
      this.state = "none";
      this.prepared = undefined;
    } catch (error) {
      log.error("cannot take down the pod's network, trying again", { error });
      await context.clock.sleep(detachRetryMs, signal).catch(() => undefined);
      this.state = "ready";
    }
    onChange();
  }

  /** Also where this agent never attached it: the one before may have. */
  async removeNetwork(): Promise<void> {
    const { context, pod } = this.#scope;
    if (pod().spec?.hostNetwork === true) return;
    await context.options.network.detach({ uid: pod().metadata?.uid ?? "" });
  }

  /** The pod's object was changed: downward API files show labels and annotations. */
  noteChange(before: Pod, after: Pod): void {
    const [was, is] = [before, after].map(({ metadata }) => JSON.stringify([metadata?.labels, metadata?.annotations]));
    if (was !== is) this.#volumeChange?.abort();
  }

  /** Files follow their ConfigMaps, Secrets and tokens for as long as the pod has its sandbox. */
  async #refreshVolumes(prepared: Prepared): Promise<void> {
    const { context, pod, log, signal } = this.#scope;
    this.#volumeChange = new AbortController();
    const unfollow = context.followers.follow(pod(), () => this.#volumeChange?.abort());
    try {
      while (!signal.aborted) {
        await context.clock
          .sleep(refreshMs, AbortSignal.any([signal, this.#volumeChange.signal]))
          .catch(() => undefined);
        if (signal.aborted || this.prepared !== prepared) return;
        // Anew before the look: what changes meanwhile is looked at again.
        this.#volumeChange = new AbortController();
        await context.volumes.prepare(pod(), this.fields()).catch((error: unknown) => {
          log.warn("cannot refresh the pod's volumes", { error });
        });
      }
    } finally {
      unfollow();
    }
  }
}
