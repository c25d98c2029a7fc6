/** Wire types that the client's models no longer have: what old documents write. */
import type {
  CronJob,
  DeploymentSpec,
  IngressSpec,
  IngressStatus,
  ObjectMeta,
  DeploymentStatus,
  TypedLocalObjectReference,
} from "../generated/types.ts";

export interface OldIngressBackend {
  readonly resource?: TypedLocalObjectReference;
  readonly serviceName?: string;
  readonly servicePort?: number | string;
}

export interface OldIngressPath {
  readonly path?: string;
  readonly pathType?: string;
  readonly backend: OldIngressBackend;
}

export interface OldIngressRule {
  readonly host?: string;
  readonly http?: { readonly paths: readonly OldIngressPath[] };
}

/** Ingress of `networking.k8s.io/v1beta1` and `extensions/v1beta1`. */
export interface OldIngress {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: ObjectMeta;
  readonly spec?: Pick<IngressSpec, "ingressClassName" | "tls"> & {
    readonly backend?: OldIngressBackend;
    readonly rules?: readonly OldIngressRule[];
  };
  readonly status?: IngressStatus;
}

/** CronJob of `batch/v1beta1`: today's fields. */
export type OldCronJob = CronJob;

/** Deployment of `extensions/v1beta1`: the selector may be left out. */
export interface OldDeployment {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: ObjectMeta;
  readonly spec?: Omit<DeploymentSpec, "selector"> & {
    readonly selector?: DeploymentSpec["selector"];
    readonly rollbackTo?: { readonly revision?: number };
  };
  readonly status?: DeploymentStatus;
}
