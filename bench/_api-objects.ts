/** The objects of the API benchmark, and a store full of them. */
import { join } from "node:path";
import { trackCreate } from "../src/api/apply/index.ts";
import { builtinResources } from "../src/api/builtin.ts";
import { decodeObject } from "../src/api/decode/index.ts";
import { apiVersionOf } from "../src/api/object.ts";
import type { KubernetesObject } from "../src/api/object.ts";
import { openSqliteStore } from "../src/storage/index.ts";

export interface StoreSize {
  readonly services: number;
  readonly endpoints: number;
  readonly pods: number;
}

const endpointsPerSlice = 100;

export function podManifest(name: string): object {
  const resources = { requests: { cpu: "100m", memory: "64Mi" }, limits: { memory: "128Mi" } };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "default", labels: { app: "web", "pod-template-hash": "5d8f7c9b6d", tier: "front" } },
    spec: {
      nodeName: "node-1",
      serviceAccountName: "default",
      containers: [
        {
          name: "web",
          image: "nginx:1.27",
          ports: [{ containerPort: 80 }],
          env: [{ name: "MODE", value: "production" }],
          resources,
          readinessProbe: { httpGet: { path: "/", port: 80 } },
        },
      ],
    },
  };
}

export function configMapManifest(name: string, mark: string): object {
  const metadata = { name, namespace: "default", labels: { app: "bench" } };
  return { apiVersion: "v1", kind: "ConfigMap", metadata, data: { mark, text: "x".repeat(700) } };
}

function serviceManifest(index: number): object {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: `service-${index}`, namespace: "default", labels: { app: `app-${index}` } },
    spec: {
      clusterIP: `10.${97 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`,
      selector: { app: `app-${index}` },
      ports: [{ name: "http", port: 80, targetPort: 8080 }],
    },
  };
}

function sliceManifest(index: number, endpoints: number): object {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      name: `slice-${index}`,
      namespace: "default",
      labels: { "kubernetes.io/service-name": `service-${index}` },
    },
    addressType: "IPv4",
    ports: [{ name: "http", port: 8080, protocol: "TCP" }],
    endpoints: Array.from({ length: endpoints }, (_, item) => ({
      addresses: [`10.244.${index & 255}.${item + 1}`],
      conditions: { ready: true, serving: true, terminating: false },
      nodeName: "node-1",
      targetRef: { kind: "Pod", namespace: "default", name: `pod-${index}-${item}` },
    })),
  };
}

const runningStatus = {
  phase: "Running",
  hostIP: "192.168.60.11",
  podIP: "10.244.0.10",
  podIPs: [{ ip: "10.244.0.10" }],
  startTime: "2026-11-20T12:00:00Z",
  conditions: ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"].map((type) => ({
    type,
    status: "True",
    lastTransitionTime: "2026-11-20T12:00:01Z",
  })),
  containerStatuses: [
    {
      name: "web",
      image: "nginx:1.27",
      imageID: "nginx@sha256:0000000000000000000000000000000000000000000000000000000000000000",
      ready: true,
      started: true,
      restartCount: 0,
      containerID: "netloom://0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
      state: { running: { startedAt: "2026-11-20T12:00:01Z" } },
    },
  ],
};

/** Writes a store as a server would have left it: defaults, owners of fields, running pods. Returns its objects' number. */
export async function fillStore(folder: string, size: StoreSize): Promise<number> {
  const store = openSqliteStore(join(folder, "objects.db"));
  const registry = builtinResources();
  const writes: Promise<unknown>[] = [];
  const put = (manifest: object, status?: object): void => {
    const { apiVersion = "", kind = "" } = manifest as KubernetesObject;
    const definition = registry.findKind(apiVersion, kind);
    if (definition === undefined) throw new Error(`Cannot fill the store: ${apiVersion} ${kind} is not served`);
    const { group, plural } = definition.storage;
    const { object } = decodeObject(definition, { value: manifest }, "Strict");
    const metadata = { ...object.metadata, uid: crypto.randomUUID(), creationTimestamp: "2026-11-20T12:00:00Z" };
    const complete = definition.withDefaults({ ...object, metadata });
    const subject = { type: definition.type, apiVersion: apiVersionOf(definition), subresource: "", hasStatus: true };
    const owned = trackCreate({ ...subject, inVersion: () => undefined }, complete, {
      name: "kube-controller-manager",
      now: "2026-11-20T12:00:00Z",
    });
    const stored = { ...definition.prepareForCreate(owned), ...(status === undefined ? {} : { status }) };
    const { namespace = "", name = "" } = metadata;
    writes.push(store.create({ resource: group === "" ? plural : `${plural}.${group}`, namespace, name }, stored));
  };
  for (let index = 0; index < size.services; index += 1) put(serviceManifest(index));
  const slices = Math.ceil(size.endpoints / endpointsPerSlice);
  for (let index = 0; index < slices; index += 1) put(sliceManifest(index, endpointsPerSlice));
  for (let index = 0; index < size.pods; index += 1) put(podManifest(`pod-${index}`), runningStatus);
  await Promise.all(writes);
  await store.close();
  return writes.length;
}
