/** Clients of the Kubernetes API: over HTTPS from a kubeconfig, and a fake for tests. */
export type { ApiClient, ListOptions, Patch, WatchOptions, WriteOptions } from "./api-client.ts";
export { ConnectionError } from "./connection-error.ts";
export { EventQueue } from "./event-queue.ts";
export { createFakeApiClient } from "./fake-client.ts";
export type { FakeApiClient, FakeApiClientOptions, FakeRequest } from "./fake-client.ts";
export { createHttpsClient } from "./https-client.ts";
export type { HttpsApiClient } from "./https-client.ts";
