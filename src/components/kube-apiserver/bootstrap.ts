/** The objects a cluster has from its first moment. */
import type {
  ConfigMap,
  Endpoints,
  EndpointSlice,
  Namespace,
  Service,
  ServiceCIDR,
} from "../../api/generated/types.ts";
import type { KubernetesObject } from "../../api/object.ts";
import { resources } from "../../api/resources.ts";
import { ApiError } from "../../api/status.ts";
import type { ApiClient } from "../../client/index.ts";
import type { ClusterConfig } from "../../model/cluster-config.ts";
import { bootstrapPolicy } from "./bootstrap-policy.ts";

const systemNamespaces = ["default", "kube-system", "kube-public", "kube-node-lease"];
const apiPort = 6443;

/** Creates what is missing and mends what differs. Safe to repeat. */
export async function bootstrap(
  client: ApiClient,
  options: {
    readonly config: Pick<ClusterConfig, "controlPlaneAddresses" | "kubernetesServiceAddress" | "serviceCidrs">;
    readonly clientCa: string;
    /** RFC 3339, in seconds. */
    readonly now: string;
  },
): Promise<void> {
  const { config, clientCa, now } = options;
  // One turn, one commit.
  await Promise.all(
    systemNamespaces.map((name) =>
      unlessExists(client.create<Namespace>(resources.namespaces, { metadata: { name } })),
    ),
  );
  const { service, endpoints, slice } = kubernetesService(config);
  await Promise.all([
    unlessExists(client.create(resources.services, service)),
    replace(client, resources.endpoints, endpoints),
    replace(client, resources.endpointSlices, slice),
    bootstrapPolicy(client),
    replace(client, resources.configMaps, trustOf(clientCa)),
    ensureServiceCidr(client, config.serviceCidrs, now),
  ]);
}

/** The range of the cluster's Services, ready as it is made; upstream's name, words and guard against deletion. */
async function ensureServiceCidr(client: ApiClient, cidrs: readonly string[], now: string): Promise<void> {
  const metadata = { name: "kubernetes", finalizers: ["networking.k8s.io/service-cidr-finalizer"] };
  await unlessExists(client.create<ServiceCIDR>(resources.serviceCidrs, { metadata, spec: { cidrs } }));
  const made = await client.get(resources.serviceCidrs, { name: metadata.name });
  if ((made.status?.conditions ?? []).length > 0) return;
  const message = "Kubernetes default Service CIDR is ready";
  const ready = { type: "Ready", status: "True", reason: "", message, lastTransitionTime: now };
  await client.update(resources.serviceCidrs, { ...made, status: { conditions: [ready] } }, { subresource: "status" });
}

/** By which API servers beside this one know its users. */
function trustOf(clientCa: string): ConfigMap {
  const metadata = { name: "extension-apiserver-authentication", namespace: "kube-system" };
  return { metadata, data: { "client-ca-file": clientCa } };
}

/** How pods reach the API: Service `kubernetes`, with endpoints that no selector makes. */
function kubernetesService({
  controlPlaneAddresses,
  kubernetesServiceAddress,
}: Pick<ClusterConfig, "controlPlaneAddresses" | "kubernetesServiceAddress">): {
  readonly service: Service;
  readonly endpoints: Endpoints;
  readonly slice: EndpointSlice;
} {
  const metadata = { name: "kubernetes", namespace: "default" };
  // As upstream: of the primary family only.
  const [address] = controlPlaneAddresses;
  return {
    service: {
      metadata: { ...metadata, labels: { component: "apiserver", provider: "kubernetes" } },
      spec: {
        type: "ClusterIP",
        clusterIP: kubernetesServiceAddress,
        ports: [{ name: "https", port: 443, protocol: "TCP", targetPort: apiPort }],
      },
    },
    endpoints: {
      metadata: { ...metadata, labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } },
      subsets: [{ addresses: [{ ip: address }], ports: [{ name: "https", port: apiPort, protocol: "TCP" }] }],
    },
    slice: {
      metadata: { ...metadata, labels: { "kubernetes.io/service-name": "kubernetes" } },
      addressType: address.includes(":") ? "IPv6" : "IPv4",
      endpoints: [{ addresses: [address], conditions: { ready: true } }],
      ports: [{ name: "https", port: apiPort, protocol: "TCP" }],
    },
  };
}

async function unlessExists(created: Promise<unknown>): Promise<void> {
  try {
    await created;
  } catch (error) {
    if (!(error instanceof ApiError && error.reason === "AlreadyExists")) throw error;
  }
}

async function replace<T extends KubernetesObject>(
  client: ApiClient,
  resource: Parameters<typeof client.create<T>>[0],
  object: T,
): Promise<void> {
  try {
    await client.create(resource, object);
  } catch (error) {
    if (!(error instanceof ApiError && error.reason === "AlreadyExists")) throw error;
    await client.update(resource, object);
  }
}
