/** Runs the controllers of a cluster in one process, over shared informers. */
import type { KubernetesObject, Resource } from "../../api/object.ts";
import type { ApiClient } from "../../client/index.ts";
import type { Clock } from "../../machinery/clock.ts";
import type { Component } from "../../machinery/component.ts";
import { createEventRecorder } from "../../machinery/events/index.ts";
import type { EventRecorder } from "../../machinery/events/index.ts";
import type { Logger } from "../../machinery/log.ts";
import type { MetricsRegistry } from "../../machinery/metrics/index.ts";
import { accountOf, createAccounts } from "./accounts.ts";
import { createCertificateCleaner } from "./certificate-cleaner.ts";
import { createApprovingController, createSigningController } from "./certificate-controllers.ts";
import { createClusterRoleAggregationController } from "./cluster-role-aggregation-controller.ts";
import { createCronJobController } from "./cron-job-controller.ts";
import { createDaemonSetController } from "./daemon-set-controller.ts";
import { defaultControllerManagerConfig } from "./config.ts";
import type { ControllerManagerConfig } from "./config.ts";
import type { CreateController, SignCertificate, SignToken } from "./context.ts";
import { createDeploymentController } from "./deployment-controller.ts";
import { createDisruptionController } from "./disruption-controller.ts";
import { createEndpointsController } from "./endpoints-controller.ts";
import { createJobController } from "./job-controller.ts";
import { createMirroringController } from "./endpointslice-mirroring-controller.ts";
import { createEndpointSliceController } from "./endpointslice-controller.ts";
import { createGarbageCollector } from "./garbage-collector.ts";
import { createSharedInformers } from "./informers.ts";
import { createNamespaceController } from "./namespace-controller.ts";
import { createNodeLifecycleController } from "./node-lifecycle-controller.ts";
import { createPersistentVolumeController } from "./persistent-volume-controller.ts";
import { createPodGarbageCollector } from "./pod-garbage-collector.ts";
import {
  createAttributesProtectionController,
  createClaimProtectionController,
  createVolumeProtectionController,
} from "./protection-controllers.ts";
import { createResourceQuotaController } from "./resource-quota-controller.ts";
import { createReplicaSetController, createReplicationController } from "./replica-set-controller.ts";
import { createRootCaPublisher } from "./root-ca-publisher.ts";
import { createServiceAccountController } from "./service-account-controller.ts";
import { createServiceCidrsController } from "./service-cidrs-controller.ts";
import { createStatefulSetController } from "./stateful-set-controller.ts";
import { createServiceAccountTokenController } from "./service-account-token-controller.ts";
import { createTaintEvictionController } from "./taint-eviction-controller.ts";
import { createTtlAfterFinishedController } from "./ttl-after-finished-controller.ts";

/**
 * The controllers, in the order in which they start: first what makes a namespace usable (a pod needs its service
 * account and CA bundle), then what makes objects, then what follows them, last what removes them: a collector must not
 * begin before its graph is whole, and it waits for its own lists.
 */
const controllers = {
  "serviceaccount-controller": createServiceAccountController,
  "serviceaccount-token-controller": createServiceAccountTokenController,
  "root-ca-certificate-publisher-controller": createRootCaPublisher,
  "deployment-controller": createDeploymentController,
  "replicaset-controller": createReplicaSetController,
  "replicationcontroller-controller": createReplicationController,
  "daemonset-controller": createDaemonSetController,
  "statefulset-controller": createStatefulSetController,
  "persistentvolume-binder-controller": createPersistentVolumeController,
  "persistentvolumeclaim-protection-controller": createClaimProtectionController,
  "persistentvolume-protection-controller": createVolumeProtectionController,
  "volumeattributesclass-protection-controller": createAttributesProtectionController,
  "job-controller": createJobController,
  "cronjob-controller": createCronJobController,
  "ttl-after-finished-controller": createTtlAfterFinishedController,
  "service-cidrs-controller": createServiceCidrsController,
  "endpointslice-controller": createEndpointSliceController,
  "endpoints-controller": createEndpointsController,
  "endpointslice-mirroring-controller": createMirroringController,
  "disruption-controller": createDisruptionController,
  "resourcequota-controller": createResourceQuotaController,
  "clusterrole-aggregation-controller": createClusterRoleAggregationController,
  "certificatesigningrequest-approving-controller": createApprovingController,
  "certificatesigningrequest-signing-controller": createSigningController,
  "certificatesigningrequest-cleaner-controller": createCertificateCleaner,
  "node-lifecycle-controller": createNodeLifecycleController,
  "taint-eviction-controller": createTaintEvictionController,
  "namespace-controller": createNamespaceController,
  "garbage-collector-controller": createGarbageCollector,
  "pod-garbage-collector-controller": createPodGarbageCollector,
} as const satisfies Readonly<Record<string, CreateController>>;

export type ControllerName = keyof typeof controllers;

export interface ControllerManagerOptions {
  /** Reads for all of them, and tells events. */
  readonly client: ApiClient;
  /** With the rights of one controller, by its service account in kube-system; `client` for all where absent. */
  readonly clientFor?: (account: string) => ApiClient;
  readonly clock: Clock;
  readonly log: Logger;
  /** PEM of the certificate authority that signed the API server's certificate, for `kube-root-ca.crt`. */
  readonly rootCa: string;
  /** Signs with the cluster's authority what was granted. Without it, granted requests stay unsigned. */
  readonly signCertificate?: SignCertificate;
  /** Signs the tokens of Secrets. Without it, such Secrets stay empty. */
  readonly signToken?: SignToken;
  /** Every stored resource that can be listed, watched and deleted: what a namespace holds and the collector follows. */
  readonly deletableResources: readonly Resource<KubernetesObject>[];
  /** In every served version: what an owner reference may name. `deletableResources` where absent. */
  readonly ownerResources?: readonly Resource<KubernetesObject>[];
  readonly metrics?: MetricsRegistry;
  readonly config?: Partial<ControllerManagerConfig>;
  /** Which to run; all where absent. */
  readonly controllers?: readonly ControllerName[];
}

/** Ready when every controller has synced and works. `run` rejects when one of them cannot go on. */
export function createControllerManager(options: ControllerManagerOptions): Component {
  const { client, clock, log, metrics, rootCa, deletableResources } = options;
  const recorders: EventRecorder[] = [];
  const informers = createSharedInformers({ source: client, clock, log }, deletableResources);
  const chosen = new Set<string>(options.controllers ?? Object.keys(controllers));
  const running = Object.entries<CreateController>(controllers)
    .filter(([name]) => chosen.has(name))
    .map(([name, create]) =>
      create({
        client: clientOf(options, name),
        clock,
        log: log.child({ controller: name }),
        metrics,
        config: { ...defaultControllerManagerConfig, ...options.config },
        informers,
        rootCa,
        signCertificate: options.signCertificate,
        signToken: options.signToken,
        deletableResources,
        ownerResources: options.ownerResources ?? deletableResources,
        recorder: (component) => {
          const recorder = createEventRecorder({ client, clock, log, component });
          recorders.push(recorder);
          return recorder;
        },
      }),
    );
  const parts: readonly Component[] = [...recorders, ...running, informers.all];
  return {
    name: "kube-controller-manager",
    ready: allReady(running),
    run: async (signal) => {
      const failed = new AbortController();
      const both = AbortSignal.any([signal, failed.signal]);
      // Where all act as one, nobody has an account of its own.
      if (options.clientFor !== undefined) void createAccounts({ client, log }, chosen);
      const results = await Promise.allSettled(
        parts.map(async (part) => {
          try {
            await part.run(both);
          } catch (error) {
            failed.abort();
            throw error;
          }
        }),
      );
      const failure = results.find((result) => result.status === "rejected");
      if (failure !== undefined) throw failure.reason;
    },
  };
}

function clientOf({ client, clientFor }: ControllerManagerOptions, controller: string): ApiClient {
  const account = accountOf(controller);
  return account === undefined || clientFor === undefined ? client : clientFor(account);
}

function allReady(parts: readonly Component[]): Promise<void> {
  const ready = Promise.all(parts.map((part) => part.ready)).then(() => undefined);
  // Rejected where the manager is stopped early; who waits sees it, others need not.
  ready.catch(() => undefined);
  return ready;
}
