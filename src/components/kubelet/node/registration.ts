/** Makes this node known to the API and keeps it alive there: the Node object, its status, its Lease. */
import { ApiError } from "../../../api/status.ts";
import type { CoreV1Event, Node } from "../../../api/generated/types.ts";
import { resources } from "../../../api/resources.ts";
import type { ApiClient } from "../../../client/api-client.ts";
import type { ContainerRuntime } from "../../../container/runtime.ts";
import { backoffDelayMs } from "../../../machinery/backoff.ts";
import type { Clock } from "../../../machinery/clock.ts";
import type { EventRecorder } from "../../../machinery/events/index.ts";
import type { Logger } from "../../../machinery/log.ts";
import { nodeObject, nodeStatus } from "./node-object.ts";
import type { NodeFacts } from "./node-object.ts";
import { readPressure } from "./machine.ts";

const leaseMs = 10_000;
/** Without a change, the status is repeated this often, as upstream does. */
const statusMs = 300_000;
const retry = { firstMs: 50, maxMs: 7000, factor: 2, jitter: 0.2 };

export interface Registration {
  /** Resolves when the Node is there and Ready. */
  readonly ready: Promise<void>;
  run(signal: AbortSignal): Promise<void>;
}

export function createRegistration(options: {
  readonly facts: NodeFacts;
  readonly client: ApiClient;
  readonly runtime: Pick<ContainerRuntime, "images" | "version">;
  readonly recorder: EventRecorder;
  readonly diskPath: string;
  readonly clock: Clock;
  readonly log: Logger;
}): Registration {
  const { facts, client, clock, log, recorder } = options;
  const { name } = facts.node;
  const ready = Promise.withResolvers<void>();
  ready.promise.catch(() => undefined);
  let known: Node | undefined;
  let reportedAtMs = 0;
  let reported = "";

  function note(reason: string, message: string, type: "Normal" | "Warning" = "Normal"): void {
    // Upstream names the node as uid: the event exists before the object does.
    const about: CoreV1Event["involvedObject"] = { kind: "Node", name, uid: name, apiVersion: "v1" };
    recorder.event(about, { type, reason, message });
  }

  async function register(): Promise<void> {
    const object = nodeObject(facts);
    try {
      known = await client.create(resources.nodes, object);
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 409) throw error;
      const { labels, annotations } = object.metadata ?? {};
      const body = { metadata: { labels, annotations }, spec: object.spec };
      known = await client.patch(resources.nodes, { name }, { type: "merge", body });
      const before = known.status?.nodeInfo?.bootID;
      const { bootId } = facts.machine;
      if (before !== undefined && before !== "" && before !== bootId)
        note("Rebooted", `Node ${name} has been rebooted, boot id: ${bootId}`, "Warning");
    }
  }

  /** Writes the status where it changed, or where it was not said for a while. */
  async function report(): Promise<void> {
    const before = known?.status?.conditions ?? [];
    const [images, runtimeVersion] = await Promise.all([options.runtime.images.list(), options.runtime.version()]);
    const status = nodeStatus(facts, {
      nowMs: clock.now(),
      pressure: readPressure(options.diskPath),
      runtimeVersion,
      images: images.map((image) => ({
        names: image.repoDigest === "" ? [image.name] : [image.repoDigest, image.name],
        sizeBytes: image.sizeBytes,
      })),
      before,
    });
    // Heartbeat times alone are no change.
    const text = JSON.stringify({
      ...status,
      conditions: status.conditions?.map(({ type, status: is }) => [type, is]),
    });
    const { addresses = [] } = status;
    if (text === reported && Math.abs(clock.now() - reportedAtMs) < statusMs) return;
    known = await client.patch(
      resources.nodes,
      { name },
      // Addresses are merged by their type, and two of one type would become one: as upstream, the list is replaced.
      { type: "strategic", body: { status: { ...status, addresses: [{ $patch: "replace" }, ...addresses] } } },
      { subresource: "status" },
    );
    reported = text;
    reportedAtMs = clock.now();
    for (const condition of status.conditions ?? []) {
      if (before.find(({ type }) => type === condition.type)?.status !== condition.status) noteCondition(condition);
    }
  }

  function noteCondition({ type, status, reason = "" }: { type: string; status: string; reason?: string }): void {
    const word =
      type === "Ready" ? (status === "True" ? "NodeReady" : "NodeNotReady") : reason.replace(/^Kubelet/, "Node");
    note(word, `Node ${name} status is now: ${word}`);
  }

  async function renewLease(): Promise<void> {
    const key = { namespace: "kube-node-lease", name };
    const renewTime = new Date(clock.now()).toISOString().replace(/Z$/, "000Z");
    try {
      await client.patch(resources.leases, key, { type: "merge", body: { spec: { renewTime } } });
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 404) throw error;
      const uid = known?.metadata?.uid;
      await client.create(resources.leases, {
        metadata: {
          ...key,
          ...(uid === undefined ? {} : { ownerReferences: [{ apiVersion: "v1", kind: "Node", name, uid }] }),
        },
        spec: { holderIdentity: name, leaseDurationSeconds: 40, renewTime },
      });
    }
  }

  async function untilDone(what: string, work: () => Promise<void>, signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        await work();
        return;
      } catch (error) {
        // While a cluster starts, the API server comes up a moment later.
        const message = `cannot ${what}, trying again`;
        if (failures < 3) log.debug(message, { error });
        else log.warn(message, { error });
        await clock.sleep(backoffDelayMs(retry, failures), signal).catch(() => undefined);
      }
    }
  }

  return {
    ready: ready.promise,
    run: async (signal) => {
      note("Starting", "Starting kubelet.");
      await untilDone("register the node", register, signal);
      await untilDone("report the node's status", report, signal);
      ready.resolve();
      while (!signal.aborted) {
        await untilDone("renew the node's lease", renewLease, signal);
        await clock.sleep(leaseMs, signal).catch(() => undefined);
        if (signal.aborted) break;
        await report().catch((error: unknown) => {
          // A Node somebody deleted is made anew, as upstream's is after a restart.
          if (error instanceof ApiError && error.code === 404) return untilDone("register the node", register, signal);
          log.warn("cannot report the node's status, trying again", { error });
          return undefined;
        });
      }
      ready.reject(new Error("Cannot register the node: the kubelet was stopped first"));
    },
  };
}
