/**
 * Which package of the OpenAPI documents a model belongs to. The client's class names do not say, so it is derived:
 * a class belongs to the first of the packages below from whose API (or from whose listed classes) it is reached.
 * The order is the law: shared types first (meta), then groups that others borrow from, then the borrowers.
 */
import { classesOfApi, readClosure } from "./client-models.ts";

interface Package {
  readonly name: string;
  /** A file of the client's `apis/`, without its ending. */
  readonly api?: string;
  readonly classes?: readonly string[];
}

const packages: readonly Package[] = [
  {
    name: "io.k8s.apimachinery.pkg.apis.meta.v1",
    classes: [
      "V1ObjectMeta",
      "V1ListMeta",
      "V1Status",
      "V1DeleteOptions",
      "V1LabelSelector",
      "V1FieldSelectorRequirement",
      "V1Condition",
      "V1APIGroup",
      "V1APIGroupList",
      "V1APIResourceList",
      "V1APIVersions",
    ],
  },
  // Scale is named by the APIs of those who are scaled.
  { name: "io.k8s.api.autoscaling.v1", api: "AutoscalingV1", classes: ["V1Scale"] },
  { name: "io.k8s.api.policy.v1", api: "PolicyV1", classes: ["V1Eviction"] },
  { name: "io.k8s.api.authentication.v1", api: "AuthenticationV1", classes: ["AuthenticationV1TokenRequest"] },
  { name: "io.k8s.api.authorization.v1", api: "AuthorizationV1" },
  // Only storage classes refer to the topology terms, which are core's.
  { name: "io.k8s.api.core.v1", api: "CoreV1", classes: ["V1TopologySelectorTerm"] },
  { name: "io.k8s.api.apps.v1", api: "AppsV1" },
  { name: "io.k8s.api.autoscaling.v2", api: "AutoscalingV2" },
  { name: "io.k8s.api.batch.v1", api: "BatchV1" },
  { name: "io.k8s.api.certificates.v1", api: "CertificatesV1" },
  { name: "io.k8s.api.coordination.v1", api: "CoordinationV1" },
  { name: "io.k8s.api.discovery.v1", api: "DiscoveryV1" },
  { name: "io.k8s.api.events.v1", api: "EventsV1" },
  { name: "io.k8s.api.flowcontrol.v1", api: "FlowcontrolApiserverV1" },
  { name: "io.k8s.api.networking.v1", api: "NetworkingV1" },
  { name: "io.k8s.api.node.v1", api: "NodeV1" },
  { name: "io.k8s.api.rbac.v1", api: "RbacAuthorizationV1" },
  { name: "io.k8s.api.scheduling.v1", api: "SchedulingV1" },
  { name: "io.k8s.api.storage.v1", api: "StorageV1" },
];

/** Class name -> package, for all classes that any of the APIs reaches. */
export async function packagesOfClasses(): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const { name, api, classes = [] } of packages) {
    const start = [...classes, ...(api === undefined ? [] : classesOfApi(api))].filter((each) => !found.has(each));
    for (const reached of (await readClosure(start)).keys()) {
      if (!found.has(reached)) found.set(reached, name);
    }
  }
  return found;
}
