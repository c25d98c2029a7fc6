/** The kubelet: registers its node, runs its pods, serves their logs and streams. */
import { referenceTo, createEventRecorder } from "../../machinery/events/index.ts";
import { createInformers } from "../../machinery/informer/index.ts";
import type { Component } from "../../machinery/component.ts";
import { serves } from "../../model/endpoints/index.ts";
import { createMetricsRegistry } from "../../machinery/metrics/index.ts";
import { resources } from "../../api/resources.ts";
import { kubeletMetrics } from "./metrics.ts";
import { createClusterObjects } from "./objects.ts";
import type { KubeletOptions } from "./options.ts";
import type { PodEvents } from "./events.ts";
import { keepMirrorPods } from "./mirror/mirror-pods.ts";
import { rotateLogs } from "./logs/rotate-logs.ts";
import { readMachine } from "./node/machine.ts";
import { createRegistration } from "./node/registration.ts";
import { admitPod } from "./pods/admission.ts";
import { containerFieldPath } from "./pods/find-container.ts";
import { createImagePuller } from "./pods/image-puller.ts";
import { createAccess } from "./server/access.ts";
import { runKubeletServer } from "./server/kubelet-server.ts";
import { createFollowers } from "./volumes/followers.ts";
import { createPodVolumes } from "./volumes/pod-volumes.ts";
import { createTokens } from "./volumes/tokens.ts";
import { limitConcurrency } from "./pods/limit-concurrency.ts";
import { createPodWorkers } from "./pods/pod-workers.ts";

/** So many containers are started at once: more would only slow each other down. */
const concurrentStarts = 4;
const defaultPort = 10_250;

export function createKubelet(options: KubeletOptions): Component {
  const { client, clock, node, nodeRoot, runtime } = options;
  const log = options.log.child({ node: node.name });
  const registry = options.metrics ?? createMetricsRegistry();
  const metrics = kubeletMetrics(registry);
  metrics.nodeName.set({ node: node.name }, 1);
  const machine = readMachine(options.config.stateDir, options.bootId);
  const recorder = createEventRecorder({ client, clock, log, component: "kubelet", host: node.name });
  const events = podEvents(recorder);
  const informers = createInformers({ source: client, clock, log });
  const pods =
    options.pods ?? informers.create({ resource: resources.pods, fieldSelector: `spec.nodeName=${node.name}` });
  const services = options.services ?? informers.create({ resource: resources.services });
  const registration = createRegistration({
    facts: {
      node,
      machine,
      isControlPlane: options.isControlPlane,
      servingPort: options.serving?.port ?? defaultPort,
      maxPods: options.config.maxPods,
    },
    client,
    runtime,
    recorder,
    diskPath: options.config.stateDir,
    clock,
    log,
  });
  const objects = createClusterObjects(client, () => services.ready.then(() => services.store.list()));
  const followers = createFollowers({ client, objects, clock, log });
  const workers = createPodWorkers(pods, ({ list }) => ({
    options,
    client,
    clock,
    log,
    metrics,
    events,
    runtime,
    nodeRoot,
    clusterDomain: options.config.clusterDomain,
    images: createImagePuller({ images: runtime.images, clock, events }),
    objects,
    followers,
    volumes: createPodVolumes(nodeRoot, {
      objects: { ...objects, ...followers.objects },
      tokens: createTokens(client, clock),
    }),
    limit: options.startLimit ?? limitConcurrency(concurrentStarts),
    allocatable: { cpuMilli: machine.cpus * 1000, memoryBytes: machine.memoryBytes },
    isServed: (pod) => services.store.list().some((service) => serves(service, pod)),
    admit: (pod) =>
      admitPod(
        pod,
        list()
          .filter(({ isActive }) => isActive)
          .map((worker) => worker.pod),
        { cpu: machine.cpus * 1000, memory: machine.memoryBytes, pods: options.config.maxPods },
      ),
  }));
  const ready = Promise.withResolvers<void>();
  ready.promise.catch(() => undefined);

  return {
    name: "kubelet",
    ready: ready.promise,
    run: async (signal) => {
      const stop = new AbortController();
      const all = AbortSignal.any([signal, stop.signal]);
      runtime.onExit((status) => workers.onExit(status));
      const { serving } = options;
      const listening = Promise.withResolvers<void>();
      const serve = async (): Promise<void> => {
        if (serving === undefined) return listening.resolve();
        const port = serving.port ?? defaultPort;
        const fds = node.addresses.map((address) =>
          options.sockets.bind({ netnsPath: options.nodeNetnsPath, address, port }),
        );
        const access = createAccess({ client, nodeName: node.name, clock, log });
        const given = { options, serving, workers, metrics: registry, access, log };
        const servers = fds.map((fd) => {
          const isListening = Promise.withResolvers<void>();
          return { ended: runKubeletServer({ ...given, fd }, all, isListening.resolve), isListening };
        });
        Promise.all(servers.map(async (server) => await server.isListening.promise)).then(
          () => listening.resolve(),
          listening.reject,
        );
        await Promise.all(servers.map(async ({ ended }) => await ended));
      };
      const mirror = (): Promise<void> =>
        keepMirrorPods(options.mirrorPods ?? [], pods, { client, node, clock, log, signal: all });
      const begin = async (): Promise<void> => {
        await pods.ready;
        workers.start(await runtime.list());
        await Promise.all([registration.ready, listening.promise]);
        ready.resolve();
      };
      try {
        await Promise.all([
          rotateLogs({ runtime, clock, log }, all),
          recorder.run(all),
          informers.run(all),
          registration.run(all),
          serve(),
          mirror(),
          begin(),
        ]);
      } catch (error) {
        ready.reject(error);
        throw error;
      } finally {
        stop.abort();
        workers.close();
        followers.close();
      }
    },
  };
}

function podEvents(recorder: ReturnType<typeof createEventRecorder>): PodEvents {
  const event =
    (type: "Normal" | "Warning"): PodEvents["normal"] =>
    (pod, container, reason, message) => {
      const fieldPath = container === undefined ? undefined : containerFieldPath(pod, container);
      recorder.event(referenceTo(resources.pods, pod, fieldPath), { type, reason, message });
    };
  return { normal: event("Normal"), warning: event("Warning") };
}
