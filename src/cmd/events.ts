/** `netloom events`: what happened in a cluster, and with -w what happens. */
import type { CoreV1Event } from "../api/generated/types.ts";
import { resources } from "../api/resources.ts";
import { asAdministrator } from "./admin-client.ts";
import { runningCluster } from "./clusters.ts";
import { age, formatted } from "./output.ts";
import { table } from "./table.ts";

export interface EventsOptions {
  readonly name: string;
  /** Undefined: of all namespaces. */
  readonly namespace: string | undefined;
  readonly isWatched: boolean;
  readonly format: "table" | "json" | "yaml";
  readonly output: NodeJS.WritableStream;
  readonly signal: AbortSignal;
}

const columns = ["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"] as const;

/** Oldest first. With `isWatched` resolves when `signal` aborts. */
export async function events(options: EventsOptions): Promise<void> {
  const { namespace, output, signal, format } = options;
  const { config } = runningCluster(options.name);
  const scope = namespace === undefined ? {} : { namespace };
  await asAdministrator(config, async (client) => {
    const { items, metadata } = await client.list(resources.events, scope);
    const sorted = items.toSorted((left, right) => lastSeenMs(left) - lastSeenMs(right));
    if (format === "table") {
      const now = Date.now();
      output.write(`${table([columns, ...sorted.map((event) => row(event, now))])}\n`);
    } else output.write(await formatted(sorted, format));
    if (!options.isWatched) return;
    const from = metadata?.resourceVersion === undefined ? {} : { resourceVersion: metadata.resourceVersion };
    for await (const event of client.watch(resources.events, { ...scope, ...from, signal })) {
      if (event.type !== "ADDED" && event.type !== "MODIFIED") continue;
      // A document each, so that a reader can tell where one ends.
      if (format === "table") output.write(`${row(event.object, Date.now()).join("   ")}\n`);
      else output.write(`${format === "yaml" ? "---\n" : ""}${await formatted(event.object, format)}`);
    }
  });
}

const lastSeenMs = (event: CoreV1Event): number =>
  Date.parse(
    event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? event.metadata?.creationTimestamp ?? "",
  );

function row(event: CoreV1Event, nowMs: number): readonly string[] {
  const { kind = "", name = "", namespace } = event.involvedObject ?? {};
  const object = `${kind}/${namespace === undefined || namespace === "default" ? "" : `${namespace}/`}${name}`;
  const seen = lastSeenMs(event);
  return [
    Number.isNaN(seen) ? "<unknown>" : age(nowMs - seen),
    event.type ?? "",
    event.reason ?? "",
    object,
    (event.message ?? "").trim().replaceAll("\n", " "),
  ];
}
