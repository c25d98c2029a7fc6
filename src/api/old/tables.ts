/** The table's part for the old types, in the form of `generated/definitions.ts` and `generated/field-numbers.ts`. */

export const oldDefinitions: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  OldCronJob: {
    apiVersion: "string",
    kind: "string",
    metadata: "ObjectMeta",
    spec: "CronJobSpec",
    status: "CronJobStatus",
  },
  OldDeployment: {
    apiVersion: "string",
    kind: "string",
    metadata: "ObjectMeta",
    spec: "OldDeploymentSpec",
    status: "DeploymentStatus",
  },
  OldDeploymentSpec: {
    minReadySeconds: "int32",
    paused: "boolean",
    progressDeadlineSeconds: "int32",
    replicas: "int32",
    revisionHistoryLimit: "int32",
    rollbackTo: "OldRollbackConfig",
    selector: "LabelSelector",
    strategy: "DeploymentStrategy",
    template: "PodTemplateSpec!",
  },
  OldHTTPIngressPath: { backend: "OldIngressBackend!", path: "string", pathType: "string" },
  OldHTTPIngressRuleValue: { paths: "[]OldHTTPIngressPath!" },
  OldIngress: {
    apiVersion: "string",
    kind: "string",
    metadata: "ObjectMeta",
    spec: "OldIngressSpec",
    status: "IngressStatus",
  },
  OldIngressBackend: {
    resource: "TypedLocalObjectReference",
    serviceName: "string",
    servicePort: "int-or-string",
  },
  OldIngressRule: { host: "string", http: "OldHTTPIngressRuleValue" },
  OldIngressSpec: {
    backend: "OldIngressBackend",
    ingressClassName: "string",
    rules: "[]OldIngressRule",
    tls: "[]IngressTLS",
  },
  OldRollbackConfig: { revision: "int64" },
};

export const oldFieldNumbers: Readonly<Record<string, string>> = {
  OldCronJob: "1:metadata 2:spec 3:status",
  OldDeployment: "1:metadata 2:spec 3:status",
  OldDeploymentSpec:
    "1:replicas* 2:selector* 3:template 4:strategy 5:minReadySeconds 6:revisionHistoryLimit* 7:paused 8:rollbackTo* 9:progressDeadlineSeconds*",
  OldHTTPIngressPath: "1:path 3:pathType* 2:backend",
  OldHTTPIngressRuleValue: "1:paths",
  OldIngress: "1:metadata 2:spec 3:status",
  OldIngressBackend: "1:serviceName 2:servicePort 3:resource*",
  OldIngressRule: "1:host 2:>OldIngressRuleValue",
  OldIngressRuleValue: "1:http*",
  OldIngressSpec: "4:ingressClassName* 1:backend* 2:tls 3:rules",
  OldRollbackConfig: "1:revision",
};

/** Package -> types with the names that they have there. */
export const oldPackages: Readonly<Record<string, readonly string[]>> = {
  "io.k8s.api.batch.v1beta1": ["OldCronJob=CronJob"],
  "io.k8s.api.extensions.v1beta1": [
    "OldDeployment=Deployment",
    "OldDeploymentSpec=DeploymentSpec",
    "OldRollbackConfig=RollbackConfig",
  ],
  "io.k8s.api.networking.v1beta1": [
    "OldHTTPIngressPath=HTTPIngressPath",
    "OldHTTPIngressRuleValue=HTTPIngressRuleValue",
    "OldIngress=Ingress",
    "OldIngressBackend=IngressBackend",
    "OldIngressRule=IngressRule",
    "OldIngressSpec=IngressSpec",
  ],
};
