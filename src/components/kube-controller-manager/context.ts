/** What every controller is given. */
import type { KubernetesObject, Resource } from "../../api/object.ts";
import type { ApiClient } from "../../client/index.ts";
import type { Clock } from "../../machinery/clock.ts";
import type { Component } from "../../machinery/component.ts";
import type { EventRecorder } from "../../machinery/events/index.ts";
import type { Logger } from "../../machinery/log.ts";
import type { MetricsRegistry } from "../../machinery/metrics/index.ts";
import type { CertificateBody } from "../../machinery/pki/index.ts";
import { createReconciler } from "../../machinery/reconcile/index.ts";
import type { Reconciler, ReconcilerOptions } from "../../machinery/reconcile/index.ts";
import type { ControllerManagerConfig } from "./config.ts";
import type { SharedInformers } from "./informers.ts";

/** The PEM certificate. */
export type SignCertificate = (body: CertificateBody) => string;

/** The JSON Web Token. */
export type SignToken = (claims: Readonly<Record<string, unknown>>) => string;

export interface ControllerContext {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: MetricsRegistry | undefined;
  readonly config: ControllerManagerConfig;
  readonly informers: SharedInformers;
  /** PEM of the certificate authority that signed the API server's certificate. */
  readonly rootCa: string;
  readonly signCertificate: SignCertificate | undefined;
  readonly signToken: SignToken | undefined;
  /** Everything that can be listed and deleted. */
  readonly deletableResources: readonly Resource<KubernetesObject>[];
  /** What an owner reference may name, in every version. */
  readonly ownerResources: readonly Resource<KubernetesObject>[];
  /** Makes a recorder that runs with the controllers. */
  readonly recorder: (component: string) => EventRecorder;
}

/** Makes one controller's loop. It begins when `waitFor` have synced. */
export type CreateController = (context: ControllerContext) => Component;

export function reconcilerOf(
  { clock, log, metrics }: ControllerContext,
  options: Pick<ReconcilerOptions, "name" | "waitFor" | "reconcile" | "concurrency">,
): Reconciler {
  return createReconciler({ clock, log, ...(metrics === undefined ? {} : { metrics }), ...options });
}
