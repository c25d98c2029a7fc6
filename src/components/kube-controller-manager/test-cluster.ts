/** For the tests of controllers: a fake API server, the manager over it, and a hand that plays scheduler and kubelet. */
import { keyOf } from "../../api/object.ts";
import type { KubernetesObject, Resource } from "../../api/object.ts";
import { resources } from "../../api/resources.ts";
import type { Node, Pod } from "../../api/generated/types.ts";
import { createFakeApiClient } from "../../client/index.ts";
import type { FakeApiClient, FakeApiClientOptions } from "../../client/index.ts";
import { FakeClock, settle } from "../../machinery/fake-clock.ts";
import { silentLogger } from "../../machinery/log.ts";
import { createControllerManager } from "./manager.ts";
import type { ControllerName } from "./manager.ts";

export interface TestCluster {
  readonly client: FakeApiClient;
  readonly clock: FakeClock;
  /** Binds every pod without a node to `node-1` and lets it become ready; ends those being deleted. */
  runPods(): Promise<void>;
  events(): readonly string[];
  names<T extends KubernetesObject>(resource: Resource<T>): readonly string[];
  stop(): Promise<void>;
}

export async function startCluster(
  controllers?: readonly ControllerName[],
  options: Pick<FakeApiClientOptions, "failWith"> = {},
): Promise<TestCluster> {
  const clock = new FakeClock(Date.UTC(2026, 10, 20, 8, 0, 0));
  const client = createFakeApiClient({ clock, ...options });
  const manager = createControllerManager({
    client,
    clock,
    log: silentLogger,
    rootCa: "-----BEGIN CERTIFICATE-----",
    deletableResources: Object.values(resources),
    ...(controllers === undefined ? {} : { controllers }),
  });
  const stop = new AbortController();
  const running = manager.run(stop.signal);
  await manager.ready;
  await settle();
  let addresses = 10;
  return {
    client,
    clock,
    runPods: async () => {
      await settle();
      for (const pod of client.peekAll(resources.pods)) {
        if (pod.metadata?.deletionTimestamp !== undefined) client.remove(resources.pods, keyOf(pod));
        else if (pod.status?.phase !== "Running") {
          addresses += 1;
          client.put(resources.pods, readyPod(pod, { address: `10.244.1.${addresses}`, now: clock.now() }));
        }
      }
      await settle();
    },
    events: () =>
      client
        .peekAll(resources.events)
        .map(({ reason, message, involvedObject: { kind } }) => `${kind} ${reason}: ${message}`),
    names: (resource) => client.peekAll(resource).map(({ metadata }) => metadata?.name ?? ""),
    stop: async () => {
      stop.abort();
      await running;
    },
  };
}

export function readyPod(pod: Pod, { address, now }: { readonly address: string; readonly now: number }): Pod {
  const lastTransitionTime = new Date(now).toISOString().replace(/\.\d+Z$/, "Z");
  return {
    ...pod,
    spec: { ...(pod.spec ?? { containers: [] }), nodeName: pod.spec?.nodeName ?? "node-1" },
    status: {
      phase: "Running",
      podIP: address,
      podIPs: [{ ip: address }],
      conditions: [{ type: "Ready", status: "True", lastTransitionTime }],
    },
  };
}

export function readyNode(name: string, now: number): Node {
  const time = new Date(now).toISOString();
  return {
    metadata: { name, uid: `uid-${name}`, creationTimestamp: time },
    spec: {},
    status: {
      conditions: [
        { type: "Ready", status: "True", reason: "KubeletReady", lastHeartbeatTime: time, lastTransitionTime: time },
      ],
    },
  };
}
