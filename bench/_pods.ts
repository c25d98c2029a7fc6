/** Pods made through the API, and when the last of them was as wanted. */
import type { Pod } from "../src/api/generated/types.ts";
import { resources } from "../src/api/resources.ts";
import type { ApiClient } from "../src/client/index.ts";

export const busybox = (name: string, argv: readonly string[], labels: Readonly<Record<string, string>> = {}): Pod => ({
  metadata: { name, namespace: "default", labels },
  spec: {
    restartPolicy: "OnFailure",
    terminationGracePeriodSeconds: 0,
    containers: [{ name: "main", image: "busybox", command: [...argv] }],
  },
});

export const isReady = ({ status }: Pod): boolean =>
  status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True") === true;

/** Creates busybox pods and resolves with the milliseconds until the last of them is Ready. */
export async function untilReady(client: ApiClient, names: readonly string[]): Promise<number> {
  return await untilCreated(
    client,
    names.map((name) => busybox(name, ["sleep", "100000"])),
    isReady,
  );
}

/** Creates the pods and resolves with the milliseconds until each of them was seen as wanted. */
export async function untilCreated(
  client: ApiClient,
  pods: readonly Pod[],
  isWanted: (pod: Pod) => boolean,
): Promise<number> {
  const started = performance.now();
  const { metadata } = await client.list(resources.pods, { namespace: "default", limit: 1 });
  const created = Promise.all(pods.map(async (pod) => await client.create(resources.pods, pod)));
  const names = pods.map((pod) => pod.metadata?.name ?? "");
  await Promise.all([created, untilSeen(client, names, { isWanted, from: metadata?.resourceVersion })]);
  return performance.now() - started;
}

/** Resolves when each of the pods of the namespace "default" was seen as wanted, now or in a later version than `from`. */
export async function untilSeen(
  client: ApiClient,
  names: readonly string[],
  options: { readonly isWanted: (pod: Pod) => boolean; readonly from?: string | undefined },
): Promise<void> {
  const { isWanted } = options;
  const waiting = new Set(names);
  let from = options.from;
  if (from === undefined) {
    const { items, metadata } = await client.list(resources.pods, { namespace: "default" });
    for (const pod of items) if (isWanted(pod)) waiting.delete(pod.metadata?.name ?? "");
    from = metadata?.resourceVersion;
  }
  if (waiting.size === 0) return;
  const stop = new AbortController();
  const watch = client.watch(resources.pods, {
    namespace: "default",
    signal: stop.signal,
    ...(from === undefined ? {} : { resourceVersion: from }),
  });
  for await (const event of watch) {
    if (event.type !== "ERROR" && isWanted(event.object)) waiting.delete(event.object.metadata?.name ?? "");
    if (waiting.size === 0) break;
  }
  stop.abort();
  if (waiting.size > 0) throw new Error(`Cannot wait for ${waiting.size} of ${names.length} pods: the watch ended`);
}
