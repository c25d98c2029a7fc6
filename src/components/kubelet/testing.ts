/** A kubelet on fakes, for its tests. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type {
  CoreV1Event,
  Pod,
  PodCondition,
  PodSpec,
  SubjectAccessReview,
  TokenReview,
} from "../../api/generated/types.ts";
import { resources, reviews } from "../../api/resources.ts";
import type { KubernetesObject } from "../../api/object.ts";
import { createFakeApiClient } from "../../client/index.ts";
import type { ApiClient, FakeApiClient, FakeApiClientOptions } from "../../client/index.ts";
import { createFakeContainerRuntime } from "../../container/fake/index.ts";
import type { FakeContainerRuntime, FakeProgram } from "../../container/fake/index.ts";
import { FakeClock, settle } from "../../machinery/fake-clock.ts";
import { silentLogger } from "../../machinery/log.ts";
import { createKubelet } from "./kubelet.ts";
import type { KubeletOptions, PodAttachment } from "./options.ts";
import { exampleCluster } from "../../model/cluster-plan/index.ts";

export interface FakeNetwork {
  readonly attached: Map<string, string>;
  readonly network: KubeletOptions["network"];
}

function attachment(uid: string, ip: string): PodAttachment {
  return { uid, netnsPath: `/run/netns/pod-${uid}`, ips: [ip] };
}

function fakeNetwork(): FakeNetwork {
  const attached = new Map<string, string>();
  let attaches = 0;
  return {
    attached,
    network: {
      attach: ({ uid }) => {
        attaches += 1;
        const ip = `10.244.1.${attaches + 1}`;
        attached.set(uid, ip);
        return Promise.resolve(attachment(uid, ip));
      },
      list: () => [...attached].map(([uid, ip]) => attachment(uid, ip)),
      detach: ({ uid }) => {
        attached.delete(uid);
        return Promise.resolve();
      },
    },
  };
}

export interface KubeletRig {
  readonly clock: FakeClock;
  readonly client: FakeApiClient;
  readonly runtime: FakeContainerRuntime;
  readonly attached: Map<string, string>;
  readonly nodeRoot: string;
  /** Addresses probes have dialled. */
  readonly dialled: string[];
  /** Creates a pod bound to the node. */
  createPod(
    name: string,
    spec: Partial<PodSpec> & Pick<PodSpec, "containers">,
    metadata?: Pod["metadata"],
  ): Promise<Pod>;
  pod(name: string): Pod | undefined;
  /** `reason: message` of the pod's events, in order. */
  events(name: string): readonly string[];
  /** Lets what can happen now happen. */
  settle(): Promise<void>;
  /** Lets files be written and sockets answer until `isDone`, without moving the clock; fails after two seconds. */
  until(isDone: () => boolean): Promise<void>;
  /** Ends the kubelet as a crash of its agent would, and begins anew on the same runtime. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export async function startKubelet(
  given: {
    readonly programs?: Readonly<Record<string, FakeProgram>>;
    /** Answers a probe's connection: the port of a server on loopback, a failure by its errno, or "never". */
    readonly dial?: (address: string, port: number) => number | string;
    readonly bind?: () => number;
    readonly failWith?: FakeApiClientOptions["failWith"];
    readonly options?: Partial<KubeletOptions>;
  } = {},
): Promise<KubeletRig> {
  const clock = new FakeClock();
  const client = withMergeKeys(
    createFakeApiClient({ clock, ...(given.failWith === undefined ? {} : { failWith: given.failWith }) }),
  );
  const runtime = createFakeContainerRuntime({
    clock,
    ...(given.programs === undefined ? {} : { programs: given.programs }),
  });
  const { attached, network } = fakeNetwork();
  const dir = mkdtempSync(join(tmpdir(), "netloom-kubelet-"));
  const dialled: string[] = [];
  const options: KubeletOptions = {
    config: exampleCluster(dir, { nodes: [] }),
    node: { name: "node-1", addresses: ["192.168.60.11"], podCidrs: ["10.244.1.0/24"], loopbackAddress: "127.60.0.1" },
    client: { ...client, create: answeringReviews(client) },
    runtime,
    network,
    nodeNetnsPath: "/run/netns/node-1",
    sockets: {
      dial: ({ address, port, signal }) => {
        dialled.push(`${address}:${port}`);
        return dialLoopback(given.dial?.(address, port) ?? "ECONNREFUSED", signal);
      },
      bind:
        given.bind ??
        (() => {
          throw new Error("Cannot serve in this test");
        }),
    },
    nodeRoot: dir,
    isControlPlane: true,
    log: silentLogger,
    clock,
    ...given.options,
  };
  let stop = new AbortController();
  let running = Promise.resolve();
  const start = async (): Promise<void> => {
    stop = new AbortController();
    const kubelet = createKubelet(options);
    running = kubelet.run(stop.signal);
    await settle();
    await kubelet.ready;
  };
  const end = async (): Promise<void> => {
    stop.abort();
    await running;
  };
  await start();
  return {
    clock,
    client,
    runtime,
    attached,
    dialled,
    nodeRoot: dir,
    settle,
    until,
    createPod: async (name, spec, metadata = {}) => {
      const pod = await client.create(resources.pods, {
        metadata: { name, namespace: "default", ...metadata },
        spec: { restartPolicy: "Always", terminationGracePeriodSeconds: 30, nodeName: "node-1", ...spec },
        status: { phase: "Pending" },
      });
      await settle();
      return pod;
    },
    pod: (name) => client.peek(resources.pods, { namespace: "default", name }),
    events: (name) => eventsOf(client, name),
    restart: async () => {
      await end();
      await start();
      await settle();
    },
    close: async () => {
      await end();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function until(isDone: () => boolean): Promise<void> {
  const deadlineMs = Date.now() + 2000;
  while (!isDone()) {
    assert.ok(Date.now() < deadlineMs, `in time: ${isDone.toString()}`);
    await settle();
  }
}

/** The fake merges strategically but knows no merge keys: lists of conditions are merged by their type here. */
function withMergeKeys(client: FakeApiClient): FakeApiClient {
  const patch: FakeApiClient["patch"] = (resource, key, given, options) => {
    const body = given.body as { readonly status?: { readonly conditions?: readonly PodCondition[] } };
    const patched = body.status?.conditions;
    const now = client.peek(resources.pods, { namespace: "default", ...key })?.status?.conditions;
    if (given.type !== "strategic" || patched === undefined || now === undefined) {
      return client.patch(resource, key, given, options);
    }
    const merged = new Map(now.map((condition) => [condition.type, condition]));
    for (const condition of patched) {
      const fields = Object.entries({ ...merged.get(condition.type), ...condition }).filter(
        ([, value]) => value !== null,
      );
      merged.set(condition.type, Object.fromEntries(fields) as unknown as PodCondition);
    }
    const full = { ...body, status: { ...body.status, conditions: [...merged.values()] } };
    return client.patch(resource, key, { ...given, body: full }, options);
  };
  return { ...client, patch };
}

function eventsOf(client: FakeApiClient, name: string): readonly string[] {
  const events: readonly CoreV1Event[] = client.peekAll(resources.events);
  return events
    .filter(({ involvedObject }) => involvedObject.name === name)
    .map(({ reason, message }) => `${reason}: ${message}`);
}

function dialLoopback(answer: number | string, signal?: AbortSignal): Promise<Socket> {
  if (answer === "never") {
    return new Promise((_, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    });
  }
  if (typeof answer === "string") {
    return Promise.reject(Object.assign(new Error(`connect ${answer}`), { code: answer }));
  }
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port: answer }, () => resolve(socket));
    socket.on("error", reject);
  });
}

/** The API server's answers to the kubelet's questions: tokens tell their user, who may do everything but be "nobody". */
export function answeringReviews(client: Pick<ApiClient, "create">): ApiClient["create"] {
  const answer = (plural: string, object: KubernetesObject): KubernetesObject | undefined => {
    if (plural === reviews.tokenReviews.plural) {
      const { token } = (object as TokenReview).spec;
      return token === "bad" ? object : withStatus(object, { authenticated: true, user: { username: token } });
    }
    if (plural !== reviews.subjectAccessReviews.plural) return undefined;
    return withStatus(object, { allowed: (object as SubjectAccessReview).spec.user !== "nobody" });
  };
  return async (resource, object, options) =>
    (answer(resource.plural, object) as typeof object | undefined) ?? (await client.create(resource, object, options));
}

function withStatus(object: KubernetesObject, status: unknown): KubernetesObject {
  return Object.assign({}, object, { status });
}
