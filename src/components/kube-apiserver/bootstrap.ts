/** The objects a cluster has from its first moment. */
import type { ConfigMap, Endpoints, EndpointSlice, Namespace, Service } from "../../api/generated/types.ts";
import type { KubernetesObject } from "../../api/object.ts";
import { resources } from "../../api/resources.ts";
import { ApiError } from "../../api/status.ts";
import type { ApiClient } from "../../client/index.ts";
import type { ClusterConfig } from "../../model/cluster-config.ts";
import { bootstrapPolicy } from "./bootstrap-policy.ts";
import { keepFlowControl } from "./flow-control/index.ts";

const systemNamespaces = ["default", "kube-system", "kube-public", "kube-node-lease"];
const apiPort = 6443;

/** Creates what is missing and mends what differs. Safe to repeat. */
export async function bootstrap(
  client: ApiClient,
  config: Pick<ClusterConfig, "controlPlaneAddresses" | "kubernetesServiceAddress">,
  { clientCa, makeServiceCidr }: { readonly clientCa: string; readonly makeServiceCidr: () => Promise<void> },
): Promise<void> {
  // One turn, one commit. No Service gets an address before there are ranges.
  await Promise.all([
    ...systemNamespaces.map((name) =>
      unlessExists(client.create<Namespace>(resources.namespaces, { metadata: { name } })),
    ),
    makeServiceCidr(),
  ]);
  const { service, endpoints, slice } = kubernetesService(config);
  await Promise.all([
    unlessExists(client.create(resources.services, service)),
    replace(client, resources.endpoints, endpoints),
    replace(client, resources.endpointSlices, slice),
    bootstrapPolicy(client),
    keepFlowControl(client),
    replace(client, resources.configMaps, trustOf(clientCa)),
  ]);
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
