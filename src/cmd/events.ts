/** `netloom events`: what happened in a cluster, and with -w what happens. */
import type { CoreV1Event } from "../api/generated/types.ts";
import { resources } from "../api/resources.ts";
import { asAdministrator } from "./admin-client.ts";
import { CommandError, type RunningCluster, runningCluster } from "./clusters.ts";
import { followObjects } from "./follow-objects.ts";
import { age, formatted } from "./output.ts";
import { table } from "./table.ts";

export interface EventsOptions {
  readonly name: string;
  /** Undefined: of all namespaces. */
  readonly namespace: string | undefined;
  /** "Warning", "Normal", in any case; undefined: both. */
  readonly types: readonly string[] | undefined;
  /** Of one object: "pod/web"; undefined: of all. */
  readonly about: string | undefined;
  readonly isWatched: boolean;
  readonly format: "table" | "json" | "yaml";
  readonly output: NodeJS.WritableStream;
  /** What is to be told beside the events. */
  readonly say: (message: string) => void;
  readonly signal: AbortSignal;
}

const columns = ["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"] as const;

/** Oldest first. With `isWatched` resolves when `signal` aborts, or the cluster no longer runs. */
export async function events(options: EventsOptions): Promise<void> {
  const cluster = runningCluster(options.name);
  if (options.isWatched) await watchEvents(cluster, options);
  else await listEvents(cluster, options);
}

async function listEvents({ config }: RunningCluster, options: EventsOptions): Promise<void> {
  const { namespace, output, format } = options;
  await asAdministrator(config, async (client) => {
    const { items } = await client.list(resources.events, namespace === undefined ? {} : { namespace });
    output.write(await formattedList(items.filter(await filterOf(options)), format));
  });
}

async function watchEvents(cluster: RunningCluster, options: EventsOptions): Promise<void> {
  const { namespace, output, format, say, signal } = options;
  const isWanted = await filterOf(options);
  let isFirst = true;
  await followObjects(cluster, {
    resource: resources.events,
    namespace,
    onObjects: async (objects) => {
      const found = objects.filter(isWanted);
      if (isFirst) output.write(await formattedList(found, format));
      // A document each, so that a reader can tell where one ends.
      else for (const event of found) output.write(await formattedOne(event, format));
      isFirst = false;
    },
    say,
    signal,
  });
}

/** Rejects with `CommandError` where what is asked for cannot be. */
async function filterOf({ types, about }: EventsOptions): Promise<(event: CoreV1Event) => boolean> {
  const wanted = types?.map((type) => type.toLowerCase());
  const unknown = types?.filter((_, index) => !knownTypes.includes(wanted?.[index] ?? "")) ?? [];
  if (unknown.length > 0) {
    throw new CommandError(`There are no events of the type "${unknown.join(",")}": use Normal or Warning`);
  }
  const isAbout = about === undefined ? () => true : await referenceTo(about);
  return (event) => (wanted?.includes((event.type ?? "").toLowerCase()) ?? true) && isAbout(event.involvedObject ?? {});
}

const knownTypes: readonly string[] = ["normal", "warning"];

/** "pod/web", "pods/web", "po/web": as kubectl takes kinds. */
async function referenceTo(text: string): Promise<(object: CoreV1Event["involvedObject"]) => boolean> {
  const [type = "", name = "", ...rest] = text.split("/");
  const { builtinResources } = await import("../api/builtin.ts");
  const meant = builtinResources().definitions.find(({ kind, plural, shortNames }) =>
    [kind.toLowerCase(), plural, ...shortNames].includes(type.toLowerCase()),
  );
  if (meant === undefined || name === "" || rest.length > 0) {
    throw new CommandError(`Cannot look for events of "${text}": write KIND/NAME, such as pod/web`);
  }
  return (object) => object.kind === meant.kind && object.name === name;
}

async function formattedList(items: readonly CoreV1Event[], format: EventsOptions["format"]): Promise<string> {
  const sorted = items.toSorted((left, right) => lastSeenMs(left) - lastSeenMs(right));
  if (format !== "table") return await formatted(sorted, format);
  const now = Date.now();
  return `${table([columns, ...sorted.map((event) => row(event, now))])}\n`;
}

async function formattedOne(event: CoreV1Event, format: EventsOptions["format"]): Promise<string> {
  if (format === "table") return `${row(event, Date.now()).join("   ")}\n`;
  return `${format === "yaml" ? "---\n" : ""}${await formatted(event, format)}`;
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
